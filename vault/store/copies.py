"""Which target holds which backup, and how targets are: rows of `backup_copy` and `backup_target`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from vault.store.streams import Stream
from vault.store.tables import backup, backup_copy, backup_target
from vault.store.writer import Transaction

STORED, DAMAGED, REMOVED, COPYING = "stored", "damaged", "removed", "copying"  # of a copy
OK = "ok"  # of a target
_SHIPPED = "shipped"  # the row that tells how far all targets are; a target's own name has a colon


@dataclass(frozen=True, slots=True)
class Copy:
    """A backup at one target: stored, damaged, removed, or being copied.

    Attributes:
        verified_at: when all of it was last read back.
        problem: the stable code of what is wrong with it.
        checked: how many chunks the reading back that is under way has come to.
    """

    stream: Stream
    number: int
    target: str
    state: str
    stored_at: int
    verified_at: int | None
    problem: str | None
    checked: int | None = None


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


def holding(
    connection: Connection, stream: Stream, numbers: Collection[int], *, verified: bool = False
) -> set[str]:
    """Return the targets that hold every one of these backups whole; `verified`: and each was read back since."""
    mine = (backup_copy.c.stream == stream) & (backup_copy.c.state == STORED)
    if verified:
        mine &= backup_copy.c.verified_at.is_not(None)
    query = select(backup_copy.c.target).where(mine, backup_copy.c.number.in_(numbers))
    query = query.group_by(backup_copy.c.target).having(func.count() == len(set(numbers)))
    return set(connection.execute(query).scalars())


def mark_copy(
    transaction: Transaction,
    stream: Stream,
    number: int,
    target: str,
    state: str,
    problem: str | None = None,
    *,
    verified: bool = False,
    checked: int | None = None,
) -> None:
    """Say what became of a backup at a target.

    Args:
        state: stored, damaged, removed or copying.
        verified: all of it was read back now, and is what it should be.
        checked: how many chunks were read back so far, where the rest is left to the next time.
    """
    mine = (
        (backup_copy.c.stream == stream) & (backup_copy.c.number == number) & (backup_copy.c.target == target)
    )
    values: dict[str, object] = {"state": state, "problem": problem, "checked": checked}
    if verified:
        values["verified_at"] = transaction.now
    changed = transaction.connection.execute(update(backup_copy).where(mine).values(values))
    if changed.rowcount == 0:
        key = {"stream": stream, "number": number, "target": target, "stored_at": transaction.now}
        transaction.connection.execute(insert(backup_copy).values(key | values))


def lacking(connection: Connection, stream: Stream, target: str, after: int) -> list[tuple[int, int]]:
    """Return the backups made whose number is more than `after` and of which a target has no whole copy, by number.

    Those whose copy is known to be bad are left out: they wait for somebody to verify them.

    Returns:
        numbers, and how many chunks of each the target was given so far.
    """
    there = (backup_copy.c.stream == backup.c.stream) & (backup_copy.c.number == backup.c.number)
    query = (
        select(backup.c.number, func.coalesce(backup_copy.c.checked, 0))
        .select_from(backup.outerjoin(backup_copy, there & (backup_copy.c.target == target)))
        .where(backup.c.stream == stream, backup.c.state == "made", backup.c.number > after)
        .where(backup_copy.c.problem.is_(None))
        .where(backup_copy.c.state.is_(None) | (backup_copy.c.state != STORED))
        .order_by(backup.c.number)
    )
    return [(number, checked) for number, checked in connection.execute(query)]


def holders(connection: Connection, names: Sequence[str]) -> dict[tuple[Stream, int], set[str]]:
    """Return which of the targets hold each backup whole, by its stream and number."""
    found: dict[tuple[Stream, int], set[str]] = {}
    query = select(backup_copy.c.stream, backup_copy.c.number, backup_copy.c.target)
    query = query.where(backup_copy.c.state == STORED, backup_copy.c.target.in_(names))
    for stream, number, target in connection.execute(query):
        found.setdefault((stream, number), set()).add(target)
    return found


def has_leftovers(connection: Connection, stream: Stream, names: Sequence[str]) -> bool:
    """Whether one of the targets holds anything still of a backup that was removed."""
    there = (backup_copy.c.stream == backup.c.stream) & (backup_copy.c.number == backup.c.number)
    query = select(backup.c.number).select_from(backup.join(backup_copy, there))
    query = query.where(backup.c.stream == stream, backup.c.state == "removed")
    query = query.where(backup_copy.c.state != REMOVED, backup_copy.c.target.in_(names))
    return connection.execute(query.limit(1)).first() is not None


def drop_copies(transaction: Transaction, stream: Stream, numbers: Sequence[int], target: str) -> None:
    """Say that a target holds nothing more of backups (at most 10,000, for the database's sake)."""
    mine = (backup_copy.c.stream == stream) & (backup_copy.c.target == target)
    transaction.connection.execute(
        update(backup_copy)
        .where(mine, backup_copy.c.number.in_(numbers), backup_copy.c.state != REMOVED)
        .values(state=REMOVED, problem=None, checked=None)
    )


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
    query = select(backup_target).where(backup_target.c.name != _SHIPPED).order_by(backup_target.c.name)
    return [TargetState(*row) for row in connection.execute(query)]


def tell_shipped(transaction: Transaction, until: int) -> None:
    """Say that all that was committed `until` then lies at as many targets as must have it."""
    connection, mine = transaction.connection, backup_target.c.name == _SHIPPED
    changed = connection.execute(update(backup_target).where(mine).values(seen_at=until))
    if changed.rowcount == 0:
        values = {"name": _SHIPPED, "state": OK, "since": until, "seen_at": until}
        connection.execute(insert(backup_target).values(values))


def shipped(connection: Connection) -> int | None:
    """Return until when all that was committed is known to lie at as many targets as must have it."""
    query = select(backup_target.c.seen_at).where(backup_target.c.name == _SHIPPED)
    return connection.execute(query).scalar()
