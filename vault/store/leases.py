"""Leases: one holder at a time for a piece of background work, with a fencing number that only rises."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import insert, select, update

from vault.errors import LeaseLost
from vault.store.database import Database
from vault.store.tables import lease
from vault.store.writer import Refused, Transaction


def acquire(database: Database, name: str, holder: str, seconds: float) -> int | None:
    """Take or renew the lease for `seconds`; return its fencing number, or None while somebody else holds it."""
    return database.write(lambda transaction: take(transaction, name, holder, seconds))


def take(
    transaction: Transaction,
    name: str,
    holder: str,
    seconds: float,
    gone: Callable[[str], bool] = lambda _: False,
) -> int | None:
    """Do what `acquire` does, in a transaction.

    Args:
        gone: whether the holder of a name is known to have ended, so that its lease means nothing.
    """
    connection, until = transaction.connection, transaction.now + int(seconds * 1_000_000)
    found = connection.execute(select(lease).where(lease.c.name == name).with_for_update()).one_or_none()
    if found is None:
        connection.execute(insert(lease).values(name=name, holder=holder, fence=1, expires_at=until))
        return 1
    mine = found.holder == holder
    if not mine and found.expires_at > transaction.now and not gone(found.holder):
        return None
    fence: int = found.fence if mine else found.fence + 1
    connection.execute(
        update(lease).where(lease.c.name == name).values(holder=holder, fence=fence, expires_at=until)
    )
    return fence


def require(transaction: Transaction, name: str, holder: str, fence: int) -> None:
    """Keep the lease with its holder until the transaction ends; Refused, with LeaseLost, if another has had it since.

    A lease whose time is over is still its holder's while nobody took it.
    """
    query = select(lease.c.holder, lease.c.fence).where(lease.c.name == name).with_for_update(read=True)
    if transaction.connection.execute(query).one_or_none() != (holder, fence):
        raise Refused(LeaseLost(f"the lease {name} was taken over by another worker"))


def require_fence(transaction: Transaction, name: str, fence: int) -> None:
    """Do what `require` does, of whoever had the lease under that number."""
    query = select(lease.c.fence).where(lease.c.name == name).with_for_update(read=True)
    if transaction.connection.execute(query).scalar() != fence:
        raise Refused(LeaseLost(f"the lease {name} was taken over by another worker"))


def release(database: Database, name: str, holder: str) -> None:
    """Give the lease back if `holder` still has it."""

    def work(transaction: Transaction) -> None:
        transaction.connection.execute(
            update(lease)
            .where(lease.c.name == name, lease.c.holder == holder)
            .values(expires_at=transaction.now)
        )

    database.write(work)
