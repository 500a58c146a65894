"""Which target holds which backup, and how targets are: rows of `backup_copy` and `backup_target`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from vault.store.streams import Stream
from vault.store.tables import backup_copy, backup_target
from vault.store.writer import Transaction

STORED, DAMAGED, REMOVED = "stored", "damaged", "removed"  # of a copy
OK = "ok"  # of a target


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup at one target: stored, damaged or removed; `problem` is the stable code of what is wrong with it."""

    stream: Stream
    number: int
    target: str
    state: str
    stored_at: int
    verified_at: int | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class TargetState:
    """How a target is: "ok" or the stable code of what is wrong; since when, and when it was last said."""

    name: str
    state: str
    since: int
    seen_at: int


def copies(connection: Connection, stream: Stream | None = None, number: int | None = None) -> list[Copy]:
    """Return what targets hold, by stream, number and target: of one stream or both, of one backup or all."""
    query = select(backup_copy).order_by(backup_copy.c.stream, backup_copy.c.number, backup_copy.c.target)
    if stream is not None:
        query = query.where(backup_copy.c.stream == stream)
    if number is not None:
        query = query.where(backup_copy.c.number == number)
    return [Copy(*row) for row in connection.execute(query)]


def mark_copy(
    transaction: Transaction,
    stream: Stream,
    number: int,
    target: str,
    state: str,
    problem: str | None = None,
    *,
    verified: bool = False,
) -> None:
    """Say what became of a backup at a target.

    Args:
        state: stored, damaged or removed.
        verified: all of it was read back now, and is what it should be.
    """
    mine = (
        (backup_copy.c.stream == stream) & (backup_copy.c.number == number) & (backup_copy.c.target == target)
    )
    values: dict[str, object] = {"state": state, "problem": problem}
    if verified:
        values["verified_at"] = transaction.now
    changed = transaction.connection.execute(update(backup_copy).where(mine).values(values))
    if changed.rowcount == 0:
        key = {"stream": stream, "number": number, "target": target, "stored_at": transaction.now}
        transaction.connection.execute(insert(backup_copy).values(key | values))


def tell_target(transaction: Transaction, name: str, state: str) -> str | None:
    """Say how a target is now; return what it was before, None if nothing was known."""
    connection, mine = transaction.connection, backup_target.c.name == name
    before: str | None = connection.execute(select(backup_target.c.state).where(mine)).scalar()
    values: dict[str, object] = {"state": state, "seen_at": transaction.now}
    if before != state:
        values["since"] = transaction.now
    statement = (
        insert(backup_target).values(name=name) if before is None else update(backup_target).where(mine)
    )
    connection.execute(statement.values(values))
    return before


def targets(connection: Connection) -> list[TargetState]:
    """Return how each target is that was ever used, by name."""
    query = select(backup_target).order_by(backup_target.c.name)
    return [TargetState(*row) for row in connection.execute(query)]
