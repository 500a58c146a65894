"""Leases: one holder at a time for a piece of background work, with a fencing number that only rises."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from vault.store.database import Database
from vault.store.tables import lease
from vault.store.writer import Transaction


def acquire(database: Database, name: str, holder: str, seconds: float) -> int | None:
    """Take or renew the lease for `seconds`; return its fencing number, or None while somebody else holds it."""

    def work(transaction: Transaction) -> int | None:
        connection, until = transaction.connection, transaction.now + int(seconds * 1_000_000)
        found = connection.execute(select(lease).where(lease.c.name == name).with_for_update()).one_or_none()
        if found is None:
            connection.execute(insert(lease).values(name=name, holder=holder, fence=1, expires_at=until))
            return 1
        mine = found.holder == holder
        if not mine and found.expires_at > transaction.now:
            return None
        fence: int = found.fence if mine else found.fence + 1
        connection.execute(
            update(lease).where(lease.c.name == name).values(holder=holder, fence=fence, expires_at=until)
        )
        return fence

    return database.write(work)


def release(database: Database, name: str, holder: str) -> None:
    """Give the lease back if `holder` still has it."""

    def work(transaction: Transaction) -> None:
        transaction.connection.execute(
            update(lease)
            .where(lease.c.name == name, lease.c.holder == holder)
            .values(expires_at=transaction.now)
        )

    database.write(work)
