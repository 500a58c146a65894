"""Drills that were reported: rows of `drill`; times in microseconds since 1970 (UTC)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select, update

from vault.errors import UnknownDrill
from vault.store.tables import backup, drill
from vault.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that was reported: `taken_at` is until when the restored data reach, `seconds` what the restore took."""

    id: str
    target: str
    number: int
    passed: bool
    begun_at: int
    taken_at: int
    seconds: int
    report: str


def add_drill(transaction: Transaction, made: Drill) -> bool:
    """Enter a drill that was reported, and note at its backup that it was restored; False if it was entered before."""
    connection = transaction.connection
    if connection.execute(select(drill.c.id).where(drill.c.id == made.id)).first() is not None:
        return False
    connection.execute(
        insert(drill).values(
            id=made.id, target=made.target, number=made.number, passed=made.passed, begun_at=made.begun_at,
            taken_at=made.taken_at, seconds=made.seconds, report=made.report,
        )
    )  # fmt: skip
    if made.passed:
        later = or_(backup.c.drilled_at.is_(None), backup.c.drilled_at < made.begun_at)
        restored = (
            (backup.c.stream == "data")
            & (backup.c.number == made.number)
            & (backup.c.taken_at == made.taken_at)
            & later
        )
        connection.execute(update(backup).where(restored).values(drilled_at=made.begun_at))
    return True


def drills(connection: Connection, limit: int, passed: bool | None = None) -> list[Drill]:
    """Return the newest drills, the newest first: of all, or those that passed, or failed."""
    query = select(drill).order_by(drill.c.begun_at.desc(), drill.c.id).limit(limit)
    if passed is not None:
        query = query.where(drill.c.passed.is_(passed))
    return [Drill(*row) for row in connection.execute(query)]


def get(connection: Connection, drill_id: str) -> Drill:
    """Return a drill; UnknownDrill if none was reported under that id."""
    found = connection.execute(select(drill).where(drill.c.id == drill_id)).one_or_none()
    if found is None:
        raise UnknownDrill("no drill of that id was reported")
    return Drill(*found)


def newest_drilled(connection: Connection) -> Drill | None:
    """Return the drill that passed whose data reach farthest; None if none did."""
    query = select(drill).where(drill.c.passed.is_(True)).order_by(drill.c.taken_at.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else Drill(*found)
