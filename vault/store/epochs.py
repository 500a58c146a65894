"""Epochs: each write names the one it fell in; one closes when no older transaction can still write into it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update

from vault.store.database import Database
from vault.store.tables import epoch
from vault.store.writer import Transaction


def advance(database: Database) -> int:
    """Open a new epoch for the writes to come; return its number."""

    def work(transaction: Transaction) -> int:
        newest: int = transaction.connection.execute(select(func.max(epoch.c.id))).scalar_one()
        transaction.connection.execute(insert(epoch).values(id=newest + 1, opened_at=transaction.now))
        return newest + 1

    return database.write(work)


def close(database: Database) -> int:
    """Close every epoch into which nothing can be written any more; return the newest closed one, or 0.

    On SQLite, with one writer, that is every epoch but the newest. On PostgreSQL a transaction takes its id, reads
    the epoch, and may commit much later: once a newer epoch is there, the next id is noted as the old one's horizon,
    and the old one closes when every transaction below its horizon has ended; so it takes two calls.
    """

    def work(transaction: Transaction) -> int:
        connection = transaction.connection
        newest = connection.execute(select(func.max(epoch.c.id))).scalar_one()
        over = (epoch.c.id < newest) & epoch.c.closed_at.is_(None)
        if connection.dialect.name == "postgresql":
            over &= epoch.c.id.in_(_ended(connection, over))
        connection.execute(update(epoch).where(over).values(closed_at=transaction.now))
        closed: int | None = connection.execute(
            select(func.max(epoch.c.id)).where(epoch.c.closed_at.is_not(None))
        ).scalar()
        connection.execute(delete(epoch).where(epoch.c.id < (closed or 0)))  # nobody asks for those before
        return closed or 0

    return database.write(work)


def _ended(connection: Connection, over: ColumnElement[bool]) -> list[int]:
    snapshot = text(
        "SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s"
    )
    oldest, following = connection.execute(snapshot).one()
    waiting = connection.execute(select(epoch.c.id, epoch.c.horizon).where(over)).all()
    connection.execute(update(epoch).where(over, epoch.c.horizon.is_(None)).values(horizon=following))
    return [row.id for row in waiting if row.horizon is not None and int(row.horizon) <= int(oldest)]
