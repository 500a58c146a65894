"""Epochs: what was written under a closed one is all there; leases: one holder, a fence that only rises."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from vault.store import epochs, leases
from vault.store.database import Database
from vault.store.writer import Transaction


def write_one(database: Database, number: int) -> int:
    def work(transaction: Transaction) -> int:
        transaction.append("tombstone", [(1, 1, number.to_bytes(4, "big"))])
        return transaction.epoch

    return database.write(work)


def test_writes_name_the_epoch_they_fell_in(database: Database) -> None:
    assert write_one(database, 1) == 1
    assert epochs.advance(database) == 2
    assert write_one(database, 2) == 2
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT epoch FROM tombstone ORDER BY token").scalars().all()
    assert list(found) == [1, 2]


def test_the_newest_epoch_never_closes(database: Database) -> None:
    assert epochs.close(database) == 0
    epochs.advance(database)
    for _ in range(3):
        closed = epochs.close(database)
    assert closed == 1


def test_an_epoch_stays_open_while_a_transaction_may_write_into_it(
    database: Database, another: Database
) -> None:
    if database.dialect.lanes == 1:
        assert write_one(database, 1) == 1  # one writer: nobody can be half-way in an older epoch
        return
    inside, leave = threading.Event(), threading.Event()

    def slow(transaction: Transaction) -> None:
        inside.set()
        leave.wait(30)
        transaction.append("tombstone", [(1, 1, b"late")])

    writer = threading.Thread(target=another.write, args=(slow,))
    writer.start()
    assert inside.wait(10)
    epochs.advance(database)
    assert [epochs.close(database) for _ in range(4)] == [0] * 4
    leave.set()
    writer.join(30)
    assert [epochs.close(database) for _ in range(2)][-1] == 1
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT epoch FROM tombstone").scalar() == 1


def test_a_lease_has_one_holder_and_a_rising_fence(database: Database, another: Database) -> None:
    assert leases.acquire(database, "sweep", "a", 60) == 1
    assert leases.acquire(another, "sweep", "b", 60) is None
    assert leases.acquire(database, "sweep", "a", 60) == 1
    assert leases.acquire(another, "other", "b", 60) == 1
    leases.release(database, "sweep", "a")
    assert leases.acquire(another, "sweep", "b", 0) == 2
    assert leases.acquire(database, "sweep", "a", 60) == 3


def test_two_who_ask_at_once_do_not_both_get_it(database: Database, another: Database) -> None:
    for turn in range(10):
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(leases.acquire, opened, f"race{turn}", holder, 60)
                for holder, opened in (("a", database), ("b", another))
            ]
        assert sorted([one.result() for one in asked], key=str) == [1, None]
