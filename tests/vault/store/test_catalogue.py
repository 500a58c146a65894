"""What is known of backups: numbers, states, chains, copies, targets, drills and keys that backups need."""

from __future__ import annotations

import pytest

from vault.errors import LeaseLost, UnknownBackup
from vault.store import catalogue, copies, drills, migrate
from vault.store.catalogue import Backup, Kind
from vault.store.database import Database
from vault.store.drills import Drill

NOTE = '{"keys":{"00000000000000aa":7},"digest_key":"00000000000000bb"}'


@pytest.fixture
def filled(database: Database) -> Database:
    migrate.upgrade(database)
    return database


def begin(database: Database, kind: Kind, base: int | None = None, fence: int = 1, at: int = 10) -> int:
    return database.write(lambda t: catalogue.begin(t, "data", kind, base, at, at, fence))


def make(database: Database, kind: Kind, base: int | None = None, note: str = NOTE) -> int:
    number = begin(database, kind, base)
    database.write(lambda t: catalogue.made(t, "data", number, 1, note, "d", 5, 9, ["a", "b"]))
    return number


def numbers(found: list[Backup]) -> list[int]:
    return [one.number for one in found]


def test_an_installation_is_drawn_once(filled: Database) -> None:
    with filled.read() as connection:
        assert catalogue.known_installation(connection) is None
    first = filled.write(catalogue.installation_of)
    assert filled.write(catalogue.installation_of) == first
    with filled.read() as connection:
        assert catalogue.known_installation(connection) == first
    assert 0 < first[0] < 2**63


def test_a_backup_runs_and_is_made_on_targets(filled: Database) -> None:
    number = make(filled, "full")
    with filled.read() as connection:
        found = catalogue.get(connection, "data", number)
        assert (found.state, found.rows, found.size, found.digest) == ("made", 5, 9, "d")
        assert catalogue.note(connection, "data", number) == NOTE
        held = copies.copies(connection, "data", number)
        assert [(one.target, one.state, one.verified_at is None) for one in held] == [
            ("a", "stored", False), ("b", "stored", False),
        ]  # fmt: skip


def test_a_number_is_never_used_again(filled: Database) -> None:
    first = begin(filled, "full")
    filled.write(lambda t: catalogue.failed(t, "data", first, 1, "backup_incomplete"))
    second = make(filled, "full")
    filled.write(lambda t: catalogue.removed(t, "data", [second]))
    assert [first, second, begin(filled, "full")] == [1, 2, 3]
    assert filled.write(lambda t: catalogue.begin(t, "keyring", "full", None, 1, 1, 1)) == 1


def test_only_its_holder_settles_a_backup_and_once(filled: Database) -> None:
    number = begin(filled, "full", fence=2)
    for fence in (1, 3):
        with pytest.raises(LeaseLost):
            filled.write(lambda t, f=fence: catalogue.made(t, "data", number, f, NOTE, "d", 1, 1, []))  # type: ignore[misc]
    filled.write(lambda t: catalogue.failed(t, "data", number, 2, "target_full"))
    with pytest.raises(LeaseLost):
        filled.write(lambda t: catalogue.made(t, "data", number, 2, NOTE, "d", 1, 1, []))
    with filled.read() as connection:
        assert catalogue.get(connection, "data", number).error == "target_full"
        assert catalogue.newest(connection, "data") is None


def test_who_takes_over_gets_what_was_left_running(filled: Database) -> None:
    left = begin(filled, "full", fence=1)
    assert numbers(filled.write(lambda t: catalogue.claim(t, 1, [("data", left)]))) == []
    assert numbers(filled.write(lambda t: catalogue.claim(t, 2, []))) == [left]
    with pytest.raises(LeaseLost):
        filled.write(lambda t: catalogue.failed(t, "data", left, 1, "x"))
    filled.write(lambda t: catalogue.failed(t, "data", left, 2, "x"))


def test_a_chain_goes_back_to_the_full_one(filled: Database) -> None:
    full = make(filled, "full")
    late = begin(filled, "full")  # which is not finished yet
    step = make(filled, "incremental", full)
    end = make(filled, "journal", step)
    with filled.read() as connection:
        assert numbers(catalogue.chain(connection, "data", end)) == [full, step, end]
        assert catalogue.newest(connection, "data").number == end  # type: ignore[union-attr]
        assert catalogue.newest(connection, "data", catalogue.STEPS).number == step  # type: ignore[union-attr]
        assert catalogue.newest(connection, "data", before=late).number == full  # type: ignore[union-attr]
        with pytest.raises(UnknownBackup):
            catalogue.chain(connection, "data", late)
        with pytest.raises(UnknownBackup):
            catalogue.note(connection, "data", late)
        with pytest.raises(UnknownBackup):
            catalogue.get(connection, "data", 99)


def test_a_key_is_needed_by_the_backups_that_name_it(filled: Database) -> None:
    kept, gone = make(filled, "full"), make(filled, "full")
    make(filled, "journal", kept)
    filled.write(lambda t: catalogue.removed(t, "data", [gone]))
    with filled.read() as connection:
        assert catalogue.needing(connection, 0xAA) == 1
        assert catalogue.needing(connection, 0xBB) == 0  # it only signs
    assert filled.write(lambda t: catalogue.forfeit(t, 0xAA)) == [kept]
    with filled.read() as connection:
        assert catalogue.needing(connection, 0xAA) == 0
        assert catalogue.get(connection, "data", kept).forfeited_at is not None


def test_a_copy_and_a_target_change_their_state(filled: Database) -> None:
    number = make(filled, "full")
    filled.write(lambda t: copies.mark_copy(t, "data", number, "b", copies.DAMAGED, "backup_damaged"))
    with filled.read() as connection:
        held = {one.target: (one.state, one.problem) for one in copies.copies(connection)}
    assert held == {"a": ("stored", None), "b": ("damaged", "backup_damaged")}
    assert filled.write(lambda t: copies.tell_target(t, "a", "ok")) is None
    assert filled.write(lambda t: copies.tell_target(t, "a", "target_full")) == "ok"
    with filled.read() as connection:
        assert [(one.name, one.state) for one in copies.targets(connection)] == [("a", "target_full")]


def test_the_drill_that_counts_is_the_one_whose_data_reach_farthest(filled: Database) -> None:
    number = make(filled, "full")
    good = Drill("1", "a", number, True, 100, 10, 3, "{}")
    for one in (
        good,
        Drill("2", "a", number, True, 200, 5, 3, "{}"),
        Drill("3", "a", 9, False, 300, 50, 3, "{}"),
    ):
        assert filled.write(lambda t, one=one: drills.add_drill(t, one))  # type: ignore[misc]
    assert not filled.write(lambda t: drills.add_drill(t, good))
    with filled.read() as connection:
        assert drills.newest_drilled(connection) == good
        assert [one.id for one in drills.drills(connection, 2)] == ["3", "2"]
        assert [one.id for one in drills.drills(connection, 9, passed=False)] == ["3"]
        assert catalogue.get(connection, "data", number).drilled_at == 100
