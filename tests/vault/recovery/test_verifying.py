"""Verifying: what is wrong at a target is named to the file, mended where a good copy is, and all is read in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.vault.conftest import ON_SQLITE
from tests.vault.recovery.copied import DAY, Folder, Line
from vault.errors import InvalidRequest
from vault.recovery import findings
from vault.recovery.findings import Finding, Verified
from vault.recovery.targets.protocol import File
from vault.recovery.verifying import verify
from vault.store import catalogue


def looked(line: Line, share: float = 1, target: str | None = None) -> Verified:
    return verify(line.resources, line.targets, share, target, lambda done, total: None)


def told(found: Verified) -> list[tuple[str, str, str, bool]]:
    return [
        (one.target, one.code, one.file, one.mended) for looked in found.targets for one in looked.findings
    ]


def test_what_is_damaged_or_missing_is_named_and_mended(line: Line) -> None:
    a, b, c = line.targets
    first, second = line.make("full", chunks=3), line.make("incremental")
    good = a.paths(), [(a.root / path).read_bytes() for path in a.paths()]
    a.damage(line.chunk(first, 2))
    b.remove(line.chunk(second, 0))
    c.damage(line.note(second))
    (c.root / line.chunk(first, 0)).write_bytes(b"")
    found = looked(line)
    assert sorted(told(found)) == sorted([
        (a.name, "altered", line.chunk(first, 2), True),
        (b.name, "missing", line.chunk(second, 0), True),
        (c.name, "size", line.chunk(first, 0), True),
        (c.name, "altered", line.note(second), True),
    ])  # fmt: skip
    places = {one.file: one.chunk for looked in found.targets for one in looked.findings}
    assert places[line.chunk(first, 2)] == 2
    assert places[line.note(second)] is None
    assert found.code == findings.MENDED
    assert line.alarms() == ["backup_damaged"] * 3
    for target in line.targets:
        assert (target.paths(), [(target.root / path).read_bytes() for path in target.paths()]) == good
    assert looked(line).code == findings.GOOD


@ON_SQLITE
def test_where_all_is_good_nothing_is_said(line: Line) -> None:
    (
        line.make("full"),
        line.make("journal", chunks=1),
        line.make("full", "keyring"),
        line.make("full", chunks=0),
    )
    line.later(DAY)
    found = looked(line)
    assert found.code == findings.GOOD
    assert told(found) == [] == line.alarms()
    assert all((one.backups, one.read, one.size) == (4, 1_000, 1_000) for one in found.targets)
    for number in (1, 2, 3):
        copy = line.copy(number, line.targets[0])
        assert copy is not None
        assert copy.verified_at == line.database.now()


@ON_SQLITE
def test_what_is_bad_everywhere_is_named_and_not_mended(line: Line) -> None:
    number = line.make("full")
    for target in line.targets:
        target.damage(line.chunk(number, 1))
    found = looked(line)
    assert told(found) == [(target.name, "altered", line.chunk(number, 1), False) for target in line.targets]
    assert {one.why for looked in found.targets for one in looked.findings} == {"no_good_copy"}
    assert found.code == findings.DAMAGED
    assert found.short == [("data", number)]
    copy = line.copy(number, line.targets[0])
    assert copy is not None
    assert (copy.state, copy.problem) == ("damaged", "no_good_copy")
    assert all(
        line.chunk(number, 1) in target.paths() for target in line.targets
    )  # a bad one is better than none
    assert looked(line).code == findings.DAMAGED


@ON_SQLITE
def test_a_damaged_file_that_the_server_keeps_stays_and_is_told(line: Line) -> None:
    a = line.targets[0]
    number = line.make("full")
    a.damage(line.chunk(number, 0))
    a.keeps = lambda path: True
    found = looked(line)
    assert [(one.mended, one.why) for one in found.targets[0].findings] == [(False, "target_locked")]
    assert found.code == findings.DAMAGED
    assert found.short == []
    a.keeps = lambda path: False
    assert looked(line).code == findings.MENDED
    copy = line.copy(number, a)
    assert copy is not None
    assert (copy.state, copy.problem) == ("stored", None)


@ON_SQLITE
def test_a_target_that_does_not_answer(line: Line) -> None:
    line.make("full")
    line.targets[1].away = "target_unreachable"
    found = looked(line)
    assert [one.problem for one in found.targets] == [None, "target_unreachable", None]
    assert found.code == findings.UNREACHABLE
    assert line.alarms() == []


@ON_SQLITE
def test_a_target_that_takes_no_file_is_still_looked_at(line: Line) -> None:
    class Full(Folder):
        def put(self, path: str, data: bytes) -> None:
            self.away = "target_full"
            try:
                self._answer()
            finally:
                self.away = None

    number = line.make("full", chunks=3)
    a = line.targets[0] = Full(line.targets[0].root)
    for place in range(3):
        a.remove(line.chunk(number, place))
    found = looked(line)
    assert [one.why for one in found.targets[0].findings] == ["target_full"] * 3
    assert found.targets[0].problem == "target_full"
    assert found.code == findings.DAMAGED


@ON_SQLITE
def test_a_target_that_shows_an_old_state_is_told(line: Line) -> None:
    a = line.targets[0]
    for kind in ("full", "journal", "journal"):
        line.make(kind)  # type: ignore[arg-type]
    for number in (2, 3):
        for path in (line.note(number), *(line.chunk(number, place) for place in range(2))):
            a.remove(path)
    found = looked(line, 0)
    (replayed,) = (one for one in found.targets[0].findings if one.code == "replayed")
    assert replayed == Finding(a.name, "data", 3, line.note(3), None, "replayed")
    assert found.targets[0].wrong == found.targets[0].mended == 6
    assert found.code == findings.MENDED
    assert looked(line).code == findings.GOOD


@ON_SQLITE
def test_a_folder_that_was_emptied_is_filled_again(line: Line) -> None:
    a = line.targets[0]
    line.make("full"), line.make("full", "keyring")
    good = a.paths()
    for path in good:
        a.remove(path)
    found = looked(line, 0)
    assert found.targets[0].replayed == []
    assert found.code == findings.MENDED
    assert a.paths() == good


@ON_SQLITE
def test_a_share_a_time_reads_all_in_time(line: Line) -> None:
    a = line.targets[0]
    for number in range(1, 11):
        line.make("full", chunks=number % 3 + 1)
    everything = {path for path in a.paths() if "/chunks/" in path}
    seen: list[str] = []
    for _ in range(11):
        line.later(DAY)
        a.read.clear()
        found = looked(line, 0.1, a.name)
        assert found.targets[0].read <= 0.1 * found.targets[0].size + 200
        seen += [path for path in a.read if "/chunks/" in path]
    assert set(seen) == everything
    assert len(seen) <= 1.25 * len(everything)  # those not read for longest come first


@ON_SQLITE
def test_the_parts_that_targets_read_back_differ(line: Line) -> None:
    line.make("full", chunks=40)
    looked(line, 0.5)
    read = [{path for path in target.read if "/chunks/" in path} for target in line.targets]
    assert [len(one) for one in read] == [20, 20, 20]
    assert read[0] != read[1] != read[2]


@ON_SQLITE
def test_what_was_damaged_counts_as_good_once_all_of_it_was_read(line: Line) -> None:
    a = line.targets[0]
    number = line.make("full", chunks=4)
    a.damage(line.chunk(number, 3))
    a.keeps = lambda path: True
    looked(line)
    a.keeps = lambda path: False
    states = []
    for _ in range(4):
        looked(line, 0.25, a.name)
        copy = line.copy(number, a)
        assert copy is not None
        states.append(copy.state)
    assert states == ["damaged"] * 3 + ["stored"]


@ON_SQLITE
def test_too_few_good_copies_are_told(line: Line) -> None:
    line.make("full", on=line.targets[:1])
    found = looked(line)
    assert found.short == [("data", 1)]
    assert found.code == findings.TOO_FEW


@ON_SQLITE
def test_files_that_nothing_accounts_for_are_named(line: Line) -> None:
    a, b = line.targets[:2]
    line.make("full")
    stray = line.fail("incremental", [a])
    assert told(looked(line)) == []  # it failed just now
    line.later(2 * DAY)
    later = line.note(9)
    b.put(later, b"of a database that was put back to an earlier state")
    found = looked(line)
    assert told(found) == [(a.name, "unknown", stray, False), (b.name, "unknown", later, False)]
    assert found.code == findings.GOOD
    assert stray in a.paths()
    assert later in b.paths()


class Busy(Folder):
    """A folder where something else happens before and after its files are listed."""

    def __init__(self, other: Folder, before: Callable[[], object], after: Callable[[], object]) -> None:
        super().__init__(other.root)
        self._happens = {"before": before, "after": after}

    def files(self, prefix: str) -> Iterator[File]:
        if prefix.endswith("/data/manifests/"):
            self._happens["before"]()
        found = list(super().files(prefix))
        if prefix.endswith("/data/chunks/"):
            self._happens["after"]()
        return iter(found)


@ON_SQLITE
def test_what_is_made_while_the_target_is_listed_is_neither_missed_nor_unknown(line: Line) -> None:
    line.make("full")
    a = line.targets[0] = Busy(
        line.targets[0], lambda: line.make("incremental"), lambda: line.make("incremental")
    )
    assert told(looked(line, 1, a.name)) == []
    assert line.numbers(a) == [1, 2, 3]


@ON_SQLITE
def test_what_is_removed_meanwhile_is_neither_missed_nor_put_back(line: Line) -> None:
    line.make("full"), line.make("full")
    a = line.targets[0]
    gone = [line.note(1), *(line.chunk(1, place) for place in range(2))]

    def remove() -> None:
        line.database.write(lambda transaction: catalogue.removed(transaction, "data", [1]))
        for path in gone:
            line.targets[0].remove(path)

    line.targets[0] = Busy(a, lambda: None, remove)
    assert told(looked(line, 1, a.name)) == []
    assert line.numbers(a) == [2]


@ON_SQLITE
def test_what_is_removed_just_then_is_not_put_back(line: Line) -> None:
    number = line.make("full")

    class Pruned(Folder):
        def get(self, path: str) -> bytes:
            line.database.write(lambda transaction: catalogue.removed(transaction, "data", [number]))
            (self.root / path).unlink()
            return super().get(path)

    a = line.targets[0] = Pruned(line.targets[0].root)
    note = line.note(number)
    assert told(looked(line, 0, a.name)) == []
    assert note not in a.paths()


@ON_SQLITE
def test_progress_rises_to_the_whole(line: Line) -> None:
    for _ in range(3):
        line.make("full", chunks=3)
    heard: list[tuple[int, int]] = []
    verify(line.resources, line.targets, 0.5, None, lambda done, total: heard.append((done, total)))
    assert {total for _, total in heard} == {2_700}
    assert heard == sorted(heard)
    assert heard[-1] == (2_700, 2_700)


@ON_SQLITE
def test_what_ends_it_loses_nothing_that_was_found(line: Line) -> None:
    a = line.targets[0]
    first, second = line.make("full"), line.make("full")
    a.damage(line.chunk(first, 0))
    line.later(1)

    def stop(done: int, total: int) -> None:
        if done >= 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(line.resources, line.targets, 1, a.name, stop)
    assert line.alarms() == ["backup_damaged"]
    a.read.clear()
    looked(line, 0.5, a.name)
    assert {path for path in a.read if "/chunks/" in path} == {
        line.chunk(second, place) for place in range(2)
    }


@ON_SQLITE
def test_what_was_removed_is_not_missed(line: Line) -> None:
    a = line.targets[0]
    line.make("full"), line.make("full")
    for path in (line.note(1), line.chunk(1, 0)):
        a.remove(path)
    line.database.write(lambda transaction: catalogue.removed(transaction, "data", [1]))
    assert looked(line).code == findings.GOOD


@ON_SQLITE
@pytest.mark.parametrize(("share", "target"), [(-0.1, None), (1.1, None), (1, "file:/nowhere")])
def test_what_is_asked_wrongly_is_refused(line: Line, share: float, target: str | None) -> None:
    with pytest.raises(InvalidRequest):
        looked(line, share, target)
