"""Group commit: many requests in one transaction, none of which pays for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from vault.errors import DeadlineExceeded, InvalidRequest, StaleKeyset
from vault.store.database import Database
from vault.store.writer import Refused, Transaction


def grave(number: int) -> tuple[int, int, bytes]:
    """A row of the smallest table, without its epoch."""
    return number % 4096, 1, number.to_bytes(8, "big")


def append(number: int) -> Callable[[Transaction], int]:
    def work(transaction: Transaction) -> int:
        transaction.append("tombstone", [grave(number)])
        return number

    return work


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM tombstone").scalar_one())


def run(database: Database, works: list[Any], **more: Any) -> list[Any]:
    """Run each work in a thread of its own; return results or errors."""
    results: list[Any] = [None] * len(works)

    def one(at: int) -> None:
        try:
            results[at] = database.write(works[at], **more)
        except Exception as error:  # noqa: BLE001
            results[at] = error

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_everybody_gets_the_own_result_after_the_commit(database: Database) -> None:
    assert run(database, [append(n) for n in range(100)], reads=False) == list(range(100))
    assert rows(database) == 100


def test_waiting_requests_share_a_commit(database: Database) -> None:
    commits = set()
    gate = threading.Event()

    def slow(transaction: Transaction) -> None:
        gate.wait(10)

    def note(transaction: Transaction) -> None:
        commits.add(id(transaction))
        append(len(commits) + 1000)(transaction)

    lanes = [threading.Thread(target=database.write, args=(slow,)) for _ in range(database.dialect.lanes)]
    for thread in lanes:
        thread.start()
    time.sleep(0.2)
    held: list[Any] = []
    waiting = [
        threading.Thread(target=lambda n=n: held.append(database.write(append(n), reads=False)))
        for n in range(40)
    ]
    for thread in waiting:
        thread.start()
    time.sleep(0.3)
    assert rows(database) == 0
    gate.set()
    for thread in lanes + waiting:
        thread.join(20)
    assert rows(database) == 40


def test_one_that_fails_takes_nobody_with_it(database: Database) -> None:
    def broken(transaction: Transaction) -> None:
        append(7_000)(transaction)
        raise ZeroDivisionError

    def refused(transaction: Transaction) -> None:
        raise Refused(InvalidRequest("no"))

    works = [append(n) for n in range(20)] + [broken, refused] * 5
    results = run(database, works)
    assert results[:20] == list(range(20))
    assert [type(result).__name__ for result in results[20:]] == ["ZeroDivisionError", "InvalidRequest"] * 5
    assert rows(database) == 20


def test_a_clash_with_what_is_there_is_the_own_failure(database: Database) -> None:
    database.write(append(1))
    results = run(database, [append(n) for n in (1, 2, 3)], reads=False)
    assert type(results[0]).__name__ == "StoreConflict"
    assert results[1:] == [2, 3]
    assert rows(database) == 3


def test_an_error_names_no_row(database: Database) -> None:
    canary = b"canary-canary"
    for _ in range(2):
        try:
            database.write(lambda transaction: transaction.append("tombstone", [(1, 1, canary)]))
        except Exception as error:  # noqa: BLE001
            told = f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
            assert "canary" not in told
            assert canary.hex() not in told
            return
    pytest.fail("the second row should have clashed")


def test_too_late_is_too_late_and_nothing_is_written(database: Database) -> None:
    with pytest.raises(DeadlineExceeded):
        database.write(append(1), deadline=time.monotonic() - 0.001)
    assert rows(database) == 0


def test_who_waits_for_the_writer_gives_up_at_the_deadline(database: Database) -> None:
    gate = threading.Event()
    lanes = [
        threading.Thread(target=database.write, args=(lambda _: gate.wait(20),))
        for _ in range(database.dialect.lanes)
    ]
    for thread in lanes:
        thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        database.write(append(1), deadline=began + 0.3)
    assert 0.25 < time.monotonic() - began < 5
    gate.set()
    for thread in lanes:
        thread.join(20)
    assert rows(database) == 0


def test_a_guard_that_no_longer_holds_stops_the_write(database: Database) -> None:
    with pytest.raises(StaleKeyset):
        database.write(append(1), guard=(12345, 1))
    assert rows(database) == 0


def test_two_processes_write_in_turns(database: Database, another: Database) -> None:
    failures: list[Exception] = []

    def many(opened: Database, start: int) -> None:
        try:
            for n in range(start, start + 150):
                opened.write(append(n))
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [
        threading.Thread(target=many, args=(opened, start))
        for start, opened in enumerate([database, another, database, another])
        for start in [start * 1_000]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert rows(database) == 600
