"""Files to several targets: all get all, and who fails or is slow drops out and holds nobody up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vault.recovery.folders import Folder
from tests.waiting import until
from vault.recovery.fanout import QUEUED, Fanout

NAMES = {"file:a", "file:b"}
PATH = "0" * 16 + "/data/chunks/"


class Yard:
    """Two folders, and what stops the second one."""

    def __init__(self, folder: Path, patience: float) -> None:
        self.roots = {name: folder / name for name in ("a", "b")}
        for root in self.roots.values():
            root.mkdir()
        self.gate, self.told, self.unexpected = threading.Event(), dict[str, str](), list[Exception]()
        self.gate.set()
        self.before: Callable[[str, str], None] = lambda _call, _path: None
        targets = [Folder(self.roots["a"]), Folder(self.roots["b"], self._stopped)]
        self.fanout = Fanout(targets, patience, time.monotonic, self._tell, self.unexpected.append)

    def _stopped(self, call: str, path: str) -> None:
        self.gate.wait(60)
        self.before(call, path)

    def _tell(self, name: str, code: str) -> None:
        self.told[name] = code

    def held(self, name: str) -> list[str]:
        return sorted(one.name for one in self.roots[name].rglob("*") if one.is_file())


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path, patience=30)
    yield made
    made.gate.set()
    made.fanout.close()


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Yard]:
    """One whose patience ends at once."""
    made = Yard(tmp_path, patience=0)
    yield made
    made.gate.set()
    made.fanout.close()


def all_of_them(names: set[str]) -> bool:
    return names == NAMES


def one_of_them(names: set[str]) -> bool:
    return bool(names)


def test_every_target_gets_every_file(yard: Yard) -> None:
    sending = yard.fanout.begin(NAMES)
    for number in range(20):
        sending.put(f"{PATH}{number}", bytes([number]) * 1_000)
    assert sending.settle(all_of_them, 0) == NAMES
    assert yard.held("a") == yard.held("b") == sorted(map(str, range(20)))
    for number in range(20):
        sending.remove(f"{PATH}{number}")
    assert sending.settle(all_of_them, 0) == NAMES
    assert yard.held("a") == yard.held("b") == []
    assert not yard.told


def test_who_fails_drops_out_and_the_others_go_on(yard: Yard) -> None:
    sending = yard.fanout.begin(NAMES)
    sending.put(f"{PATH}1", b"one")
    assert sending.settle(all_of_them, 0) == NAMES
    yard.roots["b"].rename(yard.roots["b"].with_name("gone"))
    for number in range(2, 9):
        sending.put(f"{PATH}{number}", b"more")
    assert sending.settle(one_of_them, 30) == {"file:a"}
    assert sending.problems == yard.told == {"file:b": "target_removed"}
    assert len(yard.held("a")) == 8


def test_what_is_read_back_must_be_what_was_put(yard: Yard) -> None:
    def rot(call: str, path: str) -> None:
        if call == "get":
            (yard.roots["b"] / path).write_bytes(b"rotten")

    yard.before = rot
    sending = yard.fanout.begin(NAMES)
    sending.put(f"{PATH}1", b"good")
    assert sending.settle(one_of_them, 30) == {"file:a"}
    assert yard.told == {"file:b": "target_differs"}


def test_a_fault_that_nobody_expects_is_one_targets_own(yard: Yard) -> None:
    def fault(call: str, _path: str) -> None:
        if call == "put":
            raise RuntimeError("a library's own")

    yard.before = fault
    sending = yard.fanout.begin(NAMES)
    sending.put(f"{PATH}1", b"one")
    assert sending.settle(one_of_them, 30) == {"file:a"}
    assert yard.told == {"file:b": "target_broken"}
    assert [str(error) for error in yard.unexpected] == ["a library's own"]


def test_who_does_not_keep_up_is_out_until_it_has_nothing_left(hasty: Yard) -> None:
    hasty.gate.clear()
    sending = hasty.fanout.begin(NAMES)
    sent = 0
    while "file:b" in sending.whole():
        sending.put(f"{PATH}{sent}", b"x")
        sent += 1
        until(lambda sent=sent: len(hasty.held("a")) == sent)  # type: ignore[misc]
    assert sent <= QUEUED + 2
    assert hasty.told == {"file:b": "target_slow"}
    until(lambda: hasty.fanout.ready(NAMES) == {"file:a"})  # once it has read back what it holds
    hasty.gate.set()
    until(lambda: hasty.fanout.ready(NAMES) == NAMES)
    assert hasty.held("b") == ["0"]  # what it had begun; the rest of a backup that it is out of is not for it
    again = hasty.fanout.begin(NAMES)
    assert again.whole() == NAMES


def test_nobody_waits_for_who_is_late_when_enough_have_it_and_that_is_no_failure(yard: Yard) -> None:
    yard.gate.clear()
    sending = yard.fanout.begin(NAMES)
    sending.put(f"{PATH}1", b"one")
    assert sending.settle(one_of_them, 0) == {"file:a"}
    assert sending.problems == {"file:b": "target_slow"}
    assert not yard.told


def test_only_those_that_are_well_take_part(yard: Yard) -> None:
    sending = yard.fanout.begin({"file:b"})
    sending.put(f"{PATH}1", b"one")
    assert sending.settle(one_of_them, 0) == {"file:b"}
    assert yard.held("a") == []
