"""Catching up: a target that was away has everything in the end, each file good, or nothing of a backup is listed."""

from __future__ import annotations

import pytest

from tests.vault.conftest import ON_SQLITE
from tests.vault.recovery.copied import DAY, Folder, Line
from vault.backup.plan import Keep
from vault.errors import LeaseLost
from vault.recovery.holding import LEASE
from vault.recovery.replicating import Caught, catch_up
from vault.store import catalogue, leases


def caught(line: Line, **limits: float) -> Caught:
    given = {"amount": 10**9, "seconds": 1e9} | limits
    return catch_up(line.resources, line.targets, lambda: False, line.fence, **given)  # type: ignore[arg-type]


def test_a_target_that_was_away_catches_up(line: Line) -> None:
    a, b, c = line.targets
    c.away = "target_unreachable"
    made = [line.make("full"), *(line.make("journal", chunks=1) for _ in range(20)), line.make("incremental")]
    rings = [line.make("full", "keyring"), line.make("incremental", "keyring")]
    line.tell(c, "target_unreachable")
    assert caught(line) == Caught()
    c.away = None
    line.tell(c)
    found = caught(line)
    assert (found.backups, found.waiting, found.failed) == (len(made) + len(rings), 0, {})
    assert c.paths() == a.paths() == b.paths()
    for number in made:
        copy = line.copy(number, c)
        assert copy is not None
        assert copy.state == "stored"
        assert copy.verified_at is not None
    assert caught(line) == Caught()


@ON_SQLITE
def test_a_bit_a_call_and_oldest_first(line: Line) -> None:
    c = line.targets[2]
    c.away = "target_unreachable"
    line.make("full", chunks=5), line.make("incremental"), line.make("full", "keyring")
    c.away = None
    seen = []
    while caught(line, amount=1).waiting:
        seen.append((line.numbers(c, "keyring"), line.numbers(c)))
    assert len(seen) >= 2 + 5 + 2 - 1
    assert seen[0] == ([], [])
    assert ([1], []) in seen
    assert ([1], [1]) in seen
    assert c.paths() == line.targets[0].paths()


@ON_SQLITE
def test_what_was_copied_is_not_copied_again(line: Line) -> None:
    a, b, c = line.targets
    number = line.make("full", chunks=4, on=[a, b])
    while caught(line, amount=1).waiting:
        pass
    assert sorted(a.read) == sorted({*a.read})
    assert b.read == []
    assert len(a.read) == 4
    assert line.copy(number, c) is not None


@ON_SQLITE
def test_nothing_is_listed_before_it_is_whole(line: Line) -> None:
    a, b, c = line.targets
    first, second = line.make("full", on=[a, b]), line.make("incremental", on=[a, b])
    for target in (a, b):
        target.damage(line.chunk(first, 1))
    found = caught(line)
    assert found.backups == 0
    assert found.waiting == 2
    assert line.numbers(c) == []  # the second builds on the first
    assert caught(line).waiting == 1
    assert line.numbers(c) == []
    copy = line.copy(first, c)
    assert copy is not None
    assert (copy.state, copy.problem) == ("damaged", "no_good_copy")
    assert line.copy(second, c) is None


@ON_SQLITE
def test_bytes_come_from_whoever_has_them_good(line: Line) -> None:
    a, b, c = line.targets
    number = line.make("full", on=[a, b], chunks=3)
    a.damage(line.chunk(number, 0))
    a.remove(line.chunk(number, 1))
    a.damage(line.note(number))
    b.damage(line.chunk(number, 2))
    assert caught(line).backups == 1
    assert all((c.root / path).stat().st_size for path in c.paths())
    assert len(c.paths()) == 4
    copy = line.copy(number, c)
    assert copy is not None
    assert copy.state == "stored"


@ON_SQLITE
def test_while_who_has_it_is_away_it_is_not_given_up(line: Line) -> None:
    a, b, c = line.targets
    number = line.make("full", on=[a, b])
    a.damage(line.chunk(number, 0))
    b.away = "target_slow"
    found = caught(line)
    assert (found.backups, found.waiting, found.failed) == (0, 1, {b.name: "target_slow"})
    line.tell(b, "target_slow")
    assert caught(line).waiting == 1
    b.away = None
    line.tell(b)
    assert caught(line).backups == 1
    assert line.copy(number, c) is not None


@ON_SQLITE
def test_a_target_that_takes_nothing_holds_nobody_up(line: Line) -> None:
    a, b, c = line.targets
    line.make("full", on=[a])
    b.away = "target_full"
    found = caught(line)
    assert (found.backups, found.waiting, found.failed) == (1, 1, {b.name: "target_full"})
    assert line.numbers(c) == [1]


@ON_SQLITE
def test_only_what_is_kept_is_copied(line: Line) -> None:
    a, b, c = line.targets
    line.keep(Keep(1, 0, 0, 0), keyrings=1)
    for _ in range(3):
        line.make("full", on=[a, b]), line.make("journal", on=[a, b]), line.make("full", "keyring", on=[a, b])
        line.later(DAY)
    caught(line)
    assert line.numbers(c) == [5, 6]
    assert line.numbers(c, "keyring") == [3]


@ON_SQLITE
def test_what_is_removed_meanwhile_is_not_said_to_be_there(line: Line) -> None:
    a, b, c = line.targets
    number = line.make("full", on=[a, b])

    class Late(Folder):
        def put(self, path: str, data: bytes) -> None:
            line.database.write(lambda transaction: catalogue.removed(transaction, "data", [number]))
            super().put(path, data)

    line.targets[2] = Late(c.root)
    caught(line)
    assert line.copy(number, c) is None
    assert line.state(number) == "removed"


@ON_SQLITE
def test_another_process_has_the_lease(line: Line) -> None:
    line.make("full", on=line.targets[:2])
    line.later(3_600)
    assert leases.acquire(line.database, LEASE, "another", 600) == line.fence + 1
    with pytest.raises(LeaseLost):
        caught(line)


@ON_SQLITE
def test_a_process_that_ends_leaves_the_rest(line: Line) -> None:
    line.make("full", on=line.targets[:2])
    found = catch_up(line.resources, line.targets, lambda: True, line.fence)
    assert (found.backups, found.size, found.waiting) == (0, 0, 1)


@ON_SQLITE
def test_where_nothing_is_lacking_marks_move_on_to_what_is_being_made(line: Line) -> None:
    c, marks = line.targets[2], {}  # type: ignore[var-annotated]

    def again() -> Caught:
        return catch_up(line.resources, line.targets, lambda: False, line.fence, marks)

    line.make("full")
    again()
    assert {marks[target.name, "data"] for target in line.targets} == {1}
    slow = line.begin("full")  # while this one is being made, others are
    line.make("journal", on=line.targets[:2])
    assert again().backups == 1
    assert marks[c.name, "data"] == 1
    line.finish(slow, on=line.targets[:2])
    assert again().backups == 1
    again()
    assert marks[c.name, "data"] == 3
    assert line.numbers(c) == [1, 2, 3]


@ON_SQLITE
def test_what_is_lacking_holds_the_mark_until_it_is_there(line: Line) -> None:
    a, b, c = line.targets
    marks = {}  # type: ignore[var-annotated]
    line.make("full", on=[a, b])
    b.away = c.away = "target_full"
    catch_up(line.resources, [a, c], lambda: False, line.fence, marks)
    assert (marks[a.name, "data"], marks[c.name, "data"]) == (1, 0)
    c.away = None
    assert catch_up(line.resources, [a, c], lambda: False, line.fence, marks).backups == 1
