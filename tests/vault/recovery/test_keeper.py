"""The keeper of backups: quorum, targets that fail, what the next one builds on, takeovers, jobs, alarms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from tests.vault.enforcing import records
from tests.vault.recovery.kept import Kept, kept
from tests.waiting import until
from vault.backup.model import Manifest
from vault.recovery import chunking
from vault.recovery.targets.protocol import TargetFailed
from vault.recovery.telling import KEEPER
from vault.store import catalogue, copies, jobs
from vault.store.catalogue import Backup

pytestmark = ON_SQLITE


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path) as opened:
        yield opened


def rows(house: Kept, stream: str = "data") -> list[Backup]:
    with house.resources.database.read() as connection:
        return catalogue.backups(connection, stream)  # type: ignore[arg-type]


def listed(house: Kept) -> list[list[int]]:
    """Return the numbers of data that each folder lists."""
    return [[one.number for one in house.manifests(folder, "data")] for folder in house.folders]


def files(house: Kept) -> list[str]:
    return [one.name for folder in house.folders for one in folder.rglob("*") if one.is_file()]


def away(house: Kept, number: int) -> None:
    folder = house.folders[number]
    folder.rename(folder.with_name(f"{folder.name}-away"))


def back(house: Kept, number: int) -> None:
    folder = house.folders[number]
    folder.with_name(f"{folder.name}-away").rename(folder)


def test_two_of_three_are_enough_and_the_third_catches_up(house: Kept) -> None:
    away(house, 2)
    house.shop.tokenize("phone", "13800138000")
    house.run_once()
    assert {one.state for one in rows(house)} == {"made"}
    assert house.alarms() == ["backup_target_failed"]
    back(house, 2)
    house.run_once()
    assert house.alarms() == ["backup_target_failed", "backup_target_recovered"]
    first, second, third = listed(house)
    assert first == second == third


def test_one_of_three_is_not_enough(house: Kept) -> None:
    away(house, 1)
    away(house, 2)
    house.run_once()
    assert {one.state for one in rows(house)} <= {"failed"}
    assert files(house) == []
    with house.resources.database.read() as connection:
        assert copies.shipped(connection) is None
    back(house, 1)
    house.run_once()
    assert {one.state for one in rows(house)} >= {"made"}
    assert listed(house)[0] == listed(house)[1] != []


def test_targets_that_die_halfway_leave_nothing_that_is_listed(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking, "ENOUGH", 500)
    puts: dict[str, int] = {}

    def die(name: str, call: str, path: str) -> None:
        if call == "put" and "/data/" in path:
            puts[name] = puts.get(name, 0) + 1
            if puts[name] == 2 and name != "target0":
                away(house, int(name[-1]))

    house.before = die
    house.run_once()
    assert min(puts.values()) >= 2
    (failed,) = rows(house)
    assert (failed.state, failed.error) == ("failed", "backup_incomplete")
    assert "backup_failed" in house.alarms()
    assert listed(house)[0] == []
    house.before = lambda *_: None
    back(house, 1)
    back(house, 2)
    house.run_once()
    assert rows(house)[1].state == "made"
    assert all(found == [rows(house)[1].number] for found in listed(house))


def test_journals_go_on_while_a_full_backup_is_made_and_then_build_on_it(house: Kept) -> None:
    house.run_once()
    stopped, go = threading.Event(), threading.Event()

    def hold(call: str, _path: str) -> None:
        if call == "put":
            stopped.set()
            go.wait(60)

    house.shop.later(8 * 86_400)
    keeper = house.keeper()
    keeper._lanes.tend()
    for target in keeper._lanes._targets[1]:  # those of full backups
        target._before = hold  # type: ignore[attr-defined]
    making = threading.Thread(target=keeper._lanes.step)
    making.start()
    assert stopped.wait(60)
    meanwhile = []
    for number in range(2):
        house.shop.tokenize("phone", f"1380013800{number}")
        keeper._lanes.ship()
        meanwhile.append(house.manifests(house.folders[0], "data")[-1])
    go.set()
    making.join()
    full = next(one for one in reversed(rows(house)) if one.kind == "full")
    assert full.number < meanwhile[0].number
    assert meanwhile[1].base is not None
    assert meanwhile[1].base.number == meanwhile[0].number
    house.shop.tokenize("phone", "13800138009")
    keeper._lanes.ship()
    newest = house.manifests(house.folders[0], "data")[-1]
    assert base(newest) == full.number
    assert len(house.loaded(house.folders[0], "data")["token"]) == 3
    house.shop.tokenize("phone", "13800138010")
    keeper._lanes.ship()
    assert base(house.manifests(house.folders[0], "data")[-1]) == newest.number
    keeper.join()
    assert not house.unexpected


def base(manifest: Manifest) -> int:
    assert manifest.base is not None
    return manifest.base.number


def test_incremental_ones_build_on_each_other_and_not_on_journals(house: Kept) -> None:
    for number in range(3):
        house.shop.tokenize("phone", f"1380013800{number}")
        house.run_once()
        house.shop.tokenize("phone", f"1380013801{number}")
        house.run_once()
        house.shop.later(3_700)
    steps = [one for one in rows(house) if one.kind != "journal"]
    assert [one.kind for one in steps] == ["full", "incremental", "incremental"]
    assert [one.base for one in steps] == [None, steps[0].number, steps[1].number]
    chain = [one.number for one in house.chain(house.folders[0], "data")]
    assert chain[:3] == [one.number for one in steps]
    assert len(house.loaded(house.folders[0], "data")["token"]) == 6


def test_what_a_dead_holder_left_running_is_adopted_if_it_is_whole(house: Kept) -> None:
    house.run_once()
    number = rows(house)[-1].number
    with house.resources.database.engine.begin() as connection:  # as if it had died before it could say so
        connection.exec_driver_sql(
            f"UPDATE backup SET state = 'running', note = NULL, digest = NULL WHERE number = {number}"
        )
        connection.exec_driver_sql("DELETE FROM backup_copy")
    house.keeper(holder="another").run_once()
    (adopted,) = (one for one in rows(house) if one.number == number)
    assert (adopted.state, adopted.error) == ("made", None)
    with house.resources.database.read() as connection:
        assert catalogue.note(connection, "data", number)
        assert copies.holding(connection, "data", [number]) == {f"file:target{at}" for at in range(3)}


def test_a_silent_server_is_waited_for_once_before_the_journal_goes_on(house: Kept) -> None:
    """Each call to it takes seconds, and what was written meanwhile is at risk."""
    house.shop.tokenize("phone", "13800138000")
    house.run_once()
    with house.resources.database.engine.begin() as connection:  # as if it had died before it could say so
        connection.exec_driver_sql("UPDATE backup SET state = 'running', note = NULL, digest = NULL")
        connection.exec_driver_sql("DELETE FROM backup_copy")
    waits, shipped = list[str](), list[str]()

    def before(name: str, call: str, _path: str) -> None:
        if call == "put":
            shipped.append(name)
        if name == house.folders[2].name and not shipped:
            waits.append(call)
            raise TargetFailed("target_slow", "it says nothing")

    house.before = before
    house.shop.tokenize("phone", "13900139000")
    house.keeper(holder="another").run_once()
    assert waits == ["files"]
    assert {one.state for one in rows(house)} == {"made"}


def test_what_a_dead_holder_left_unfinished_is_given_up(house: Kept) -> None:
    house.run_once()
    number = rows(house)[-1].number
    for folder in house.folders[:2]:
        next(folder.glob(f"*/data/manifests/{number:010}.txt")).unlink()
    with house.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE backup SET state = 'running', note = NULL WHERE stream = 'data' AND number = {number}"
        )
    house.keeper(holder="another").run_once()
    (left,) = (one for one in rows(house) if one.number == number)
    assert (left.state, left.error) == ("failed", "interrupted")
    assert all(number not in found and found for found in listed(house))


def test_numbers_go_on_above_what_the_targets_have(house: Kept) -> None:
    house.shop.tokenize("phone", "13800138000")
    house.run_once()
    with house.resources.database.engine.begin() as connection:  # the database as it was before
        connection.exec_driver_sql("DELETE FROM backup")
        connection.exec_driver_sql("DELETE FROM backup_copy")
    newest = max(listed(house)[0])
    house.keeper(holder="another").run_once()
    assert not house.unexpected
    assert min(one.number for one in rows(house)) > newest
    assert rows(house)[0].state == "made"


def test_no_server_uses_the_numbers_up(house: Kept) -> None:
    """A file of its owner's, named as the last manifest that there can be, is nobody's backup."""
    house.shop.tokenize("phone", "13800138000")
    house.run_once()
    manifests = next(house.folders[0].glob("*/data/manifests"))
    (manifests / "9999999999.txt").write_bytes(b"rubbish")
    (manifests / "9999999998.txt").write_bytes((manifests / "0000000001.txt").read_bytes())
    house.keeper(holder="another").run_once()
    house.shop.tokenize("phone", "13900139000")
    house.keeper(holder="a third").run_once()
    assert max(one.number for one in rows(house)) < 10
    assert rows(house)[-1].state == "made"
    assert not house.unexpected


def test_one_process_makes_backups_and_another_waits(house: Kept) -> None:
    first, second = house.keeper(holder="one"), house.keeper(holder="two")
    first._lanes.tend()
    second.run_once()
    assert rows(house) == []
    first.run_once()
    assert len(rows(house)) == 1


def ask(house: Kept, what: str, **notes: Any) -> str:
    actor = house.shop.actor

    def work(transaction: Any) -> str:
        return jobs.add(
            transaction, actor.tenant, what, jobs.BACKUPS, notes, "somebody", "request", everywhere=True
        ).id

    return house.resources.database.write(work)


def job(house: Kept, job_id: str) -> jobs.Job:
    with house.resources.database.read() as connection:
        found = jobs.get(connection, house.shop.actor.tenant, job_id)
    assert found is not None
    return found


def test_jobs_are_carried_out_by_the_keeper_alone(house: Kept) -> None:
    house.run_once()
    made = ask(house, "make_backup", kind="full")
    assert jobs.take(house.resources.database, "rotation", lambda _: False) is None
    keeper = house.keeper()
    keeper._lanes.tend()
    for asked in (None, "verify_backups", "prune_backups"):
        last = made if asked is None else ask(house, asked, share=1.0, apply=False)
        keeper._lanes.errand()
        done = job(house, last)
        assert (done.state, done.error) == ("done", None)
    keeper.join()
    fulls = [one for one in rows(house) if one.kind == "full"]
    assert job(house, made).notes == {"kind": "full", "keyring": 2, "number": fulls[-1].number}
    assert len(fulls) == 2
    assert not house.unexpected


def test_a_job_that_fails_says_why(house: Kept) -> None:
    keeper = house.keeper()
    keeper._lanes.tend()
    asked = ask(house, "verify_backups", target="file:nowhere")
    keeper._lanes.errand()
    assert (job(house, asked).state, job(house, asked).error) == ("failed", "invalid_request")
    keeper.join()


def test_the_threads_keep_up_and_ship_what_came_last(house: Kept) -> None:
    ended = threading.Event()
    keeper = house.keeper(ended.is_set)
    keeper.start()
    until(lambda: any(one.state == "made" for one in rows(house)))
    house.shop.tokenize("phone", "13800138000")
    until(lambda: len(house.loaded(house.folders[0], "data")["token"]) == 1)
    ended.set()
    house.shop.tokenize("phone", "13800138001")
    keeper.join()
    assert not house.unexpected
    assert len(house.loaded(house.folders[0], "data")["token"]) == 2
    assert {one.state for one in rows(house)} == {"made"}


def test_an_alarm_says_once_that_nothing_is_shipped(house: Kept) -> None:
    house.run_once()
    for number in range(3):
        away(house, number)
    house.shop.later(120)
    for _ in range(2):
        house.run_once()
    assert house.alarms().count("backup_late") == 1


def test_a_whole_backup_goes_on_record_with_every_tenant(house: Kept) -> None:
    from tests.vault.recovery.test_making import seal

    seal(house)
    before = house.shop.count("audit_record")
    house.run_once()
    assert house.shop.count("audit_record") == before + 2  # live and test
    made = [(one.result, one.count) for one in records(house.shop, "make_backup", KEEPER)]
    assert made == [("ok", 1)] * 2  # and not how many rows all businesses have together
