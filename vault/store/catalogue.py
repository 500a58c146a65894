"""What is known of backups made: rows of `installation` and `backup`; `copies` and `drills` have the rest.

Numbers of a stream rise in the order of the states of the database that its backups are of: `begin` is called in that
order. Times are microseconds since 1970 (UTC).
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, Select, case, delete, exists, func, insert, select, update

from vault.errors import LeaseLost, UnknownBackup
from vault.store.copies import REMOVED as GONE
from vault.store.copies import STORED, mark_copy
from vault.store.streams import Stream
from vault.store.tables import backup, backup_copy, installation, key_version
from vault.store.writer import Refused, Transaction

Kind = Literal["full", "incremental", "journal"]
State = Literal["running", "made", "failed", "removed"]
RUNNING: State = "running"
MADE: State = "made"
FAILED: State = "failed"
REMOVED: State = "removed"
FULL: tuple[Kind, ...] = ("full",)
STEPS: tuple[Kind, ...] = ("full", "incremental")  # all but journals


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup of a stream; its manifest is read by `note`.

    Attributes:
        base: the number that it builds on; None for a full one.
        until: the newest epoch that was closed before it was taken, at `taken_at`.
        digest: SHA-256 of the signed manifest in hex; None until it is made.
        rows: in its chunks; `size`: of its chunks in bytes.
        error: the stable code of what stopped it.
        fence: of the lease of whoever makes it.
        drilled_at: when a drill last restored it; `forfeited_at`: when a key that it needs was given up.
    """

    stream: Stream
    number: int
    kind: Kind
    state: State
    base: int | None
    until: int
    taken_at: int
    digest: str | None
    rows: int
    size: int
    error: str | None
    fence: int
    finished_at: int | None
    drilled_at: int | None
    forfeited_at: int | None


def installation_of(transaction: Transaction) -> tuple[int, str | None]:
    """Return this installation's id, drawn at first use, and the JSON of what it was restored from."""
    transaction.dialect.serialize(transaction.connection, "installation")
    found = known_installation(transaction.connection)
    if found is not None:
        return found
    return enter_installation(transaction, None), None


def enter_installation(transaction: Transaction, follows: str | None) -> int:
    """Draw this installation's id, once; `follows` is the JSON of what it was restored from."""
    made = secrets.randbelow(2**63 - 1) + 1
    transaction.connection.execute(
        insert(installation).values(id=made, follows=follows, made_at=transaction.now)
    )
    return made


def known_installation(connection: Connection) -> tuple[int, str | None] | None:
    """Return this installation's id and what it was restored from; None before its first backup."""
    found = connection.execute(select(installation.c.id, installation.c.follows)).one_or_none()
    return None if found is None else (found.id, found.follows)


def installed_at(connection: Connection) -> int:
    """Return when this installation got its name, which a restore does at its end; 0 before its first backup."""
    return connection.execute(select(installation.c.made_at)).scalar() or 0


def begin(
    transaction: Transaction, stream: Stream, kind: Kind, base: int | None, until: int, taken_at: int, fence: int,
    above: int = 0,
) -> int:  # fmt: skip
    """Enter a backup that is being made; return its number, above all that the stream ever had.

    Args:
        above: a number that targets have, which is more than a database knows that was set back.
    """
    transaction.dialect.serialize(transaction.connection, f"backup {stream}")
    newest = transaction.connection.execute(
        select(func.max(backup.c.number)).where(backup.c.stream == stream)
    ).scalar()
    number: int = max(newest or 0, above) + 1
    transaction.connection.execute(
        insert(backup).values(
            stream=stream, number=number, kind=kind, state=RUNNING, base=base, until=until, taken_at=taken_at,
            rows=0, bytes=0, fence=fence,
        )
    )  # fmt: skip
    return number


def made(
    transaction: Transaction, stream: Stream, number: int, fence: int, note: str, digest: str, rows: int,
    size: int, stored_on: Collection[str],
) -> None:  # fmt: skip
    """Let a backup count as made, with its signed manifest, on those targets.

    Raises Refused, with LeaseLost, if it is no longer this holder's to make.
    """
    values = {
        "state": MADE, "note": note, "digest": digest, "rows": rows, "bytes": size, "error": None,
        "finished_at": transaction.now,
    }  # fmt: skip
    _settle(transaction, stream, number, fence, values)
    for target in stored_on:
        mark_copy(transaction, stream, number, target, STORED, verified=True)


def failed(transaction: Transaction, stream: Stream, number: int, fence: int, error: str) -> None:
    """Say that a backup came to nothing; Refused, with LeaseLost, if it is no longer this holder's to make."""
    values = {"state": FAILED, "error": error, "finished_at": transaction.now}
    _settle(transaction, stream, number, fence, values)


def _settle(
    transaction: Transaction, stream: Stream, number: int, fence: int, values: Mapping[str, object]
) -> None:
    mine = _one(stream, number) & (backup.c.state == RUNNING) & (backup.c.fence == fence)
    changed = transaction.connection.execute(update(backup).where(mine).values(values))
    if changed.rowcount != 1:
        raise Refused(LeaseLost("another worker makes the backups now"))


def claim(transaction: Transaction, fence: int, but: Collection[tuple[Stream, int]]) -> list[Backup]:
    """Take over the backups that somebody left running, all but those that this holder makes; return them."""
    left = (backup.c.state == RUNNING) & (backup.c.fence <= fence)
    found = _backups(transaction.connection, select(backup).where(left).with_for_update())
    found = [one for one in found if (one.stream, one.number) not in but]
    for one in found:
        mine = _one(one.stream, one.number)
        transaction.connection.execute(update(backup).where(mine).values(fence=fence))
    return [replace(one, fence=fence) for one in found]


def get(connection: Connection, stream: Stream, number: int) -> Backup:
    """Return a backup; UnknownBackup if there is none of that number."""
    found = _backups(connection, select(backup).where(_one(stream, number)))
    if not found:
        raise UnknownBackup(f"there is no backup {number} of the stream {stream}")
    return found[0]


def is_made(connection: Connection, stream: Stream, number: int) -> bool:
    """Whether a backup was made, and not removed since."""
    query = select(backup.c.state).where(_one(stream, number))
    return connection.execute(query).scalar() == MADE


def note(connection: Connection, stream: Stream, number: int) -> str:
    """Return the signed manifest of a backup; UnknownBackup if none was made of that number, or it was removed."""
    found = connection.execute(select(backup.c.note).where(_one(stream, number))).scalar()
    if found is None:
        raise UnknownBackup(f"there is no backup {number} of the stream {stream}")
    return str(found)


def newest(
    connection: Connection,
    stream: Stream,
    kinds: Collection[Kind] | None = None,
    *,
    before: int | None = None,
) -> Backup | None:
    """Return the newest backup made, of these kinds, whose number is less than `before`; None if there is none."""
    query = select(backup).where(backup.c.stream == stream, backup.c.state == MADE)
    if kinds is not None:
        query = query.where(backup.c.kind.in_(kinds))
    if before is not None:
        query = query.where(backup.c.number < before)
    return next(iter(_backups(connection, query.order_by(backup.c.number.desc()).limit(1))), None)


def oldest(connection: Connection, stream: Stream) -> Backup | None:
    """Return the oldest backup that is kept; None if there is none."""
    query = select(backup).where(backup.c.stream == stream, backup.c.state == MADE).order_by(backup.c.number)
    return next(iter(_backups(connection, query.limit(1))), None)


def settled(connection: Connection, stream: Stream) -> int:
    """Return the newest number made of a stream up to which none is being made any more; 0 if there is none."""
    made, running = newest(connection, stream), backups(connection, stream, ["running"])
    return min([0 if made is None else made.number, *(one.number - 1 for one in running)])


def chain(connection: Connection, stream: Stream, number: int) -> list[Backup]:
    """Return the backups that a restore loads for one, the full one first; UnknownBackup if a link is not there."""
    linked = select(backup.c.number, backup.c.base).where(_one(stream, number)).cte(recursive=True)
    further = select(backup.c.number, backup.c.base).where(
        backup.c.stream == stream, backup.c.number == linked.c.base
    )
    linked = linked.union(further)
    query = select(backup).where(backup.c.stream == stream, backup.c.number.in_(select(linked.c.number)))
    found = _backups(connection, query.order_by(backup.c.number))
    if not found or found[0].kind != "full" or any(one.state != MADE for one in found):
        raise UnknownBackup(f"backup {number} of the stream {stream} was not made, or was removed")
    return found


def backups(
    connection: Connection, stream: Stream | None = None, states: Collection[State] | None = None
) -> list[Backup]:
    """Return backups by stream and number: of one stream or both, in some states or all."""
    query = select(backup).order_by(backup.c.stream, backup.c.number)
    if stream is not None:
        query = query.where(backup.c.stream == stream)
    if states is not None:
        query = query.where(backup.c.state.in_(states))
    return _backups(connection, query)


def removed(transaction: Transaction, stream: Stream, numbers: Sequence[int]) -> None:
    """Say that backups are no longer kept: their manifests go, and no restore is to name them."""
    mine = (backup.c.stream == stream) & backup.c.number.in_(numbers)
    transaction.connection.execute(update(backup).where(mine).values(state=REMOVED, note=None))


def forget(transaction: Transaction, journals: int, others: int) -> int:
    """Delete the rows of what was removed, or came to nothing, of which no target holds anything; return how many.

    The newest of a stream stays whatever it is, so that no number is used twice.

    Args:
        journals: microseconds since 1970 (UTC); journals that were removed go if they were made before.
        others: the same for all else.
    """
    others_too = backup.alias()
    newest = select(func.max(others_too.c.number)).where(others_too.c.stream == backup.c.stream)
    of_it = (backup_copy.c.stream == backup.c.stream) & (backup_copy.c.number == backup.c.number)
    held = exists().where(of_it, backup_copy.c.state != GONE)
    before = case(((backup.c.kind == "journal") & (backup.c.state == REMOVED), journals), else_=others)
    over = backup.c.state.in_((REMOVED, FAILED)) & (backup.c.finished_at < before)
    gone = delete(backup).where(over, ~held, backup.c.number < newest.scalar_subquery())
    count: int = transaction.connection.execute(gone).rowcount
    if count:
        transaction.connection.execute(delete(backup_copy).where(~exists().where(of_it)))
    return count


def needing(connection: Connection, key_id: int) -> int:
    """Return how many backups need a key version: those kept and not forfeited whose manifest names it in `keys`."""
    query = select(func.count()).select_from(backup).where(_needs(key_id))
    return int(connection.execute(query).scalar_one())


def forfeit(transaction: Transaction, key_id: int) -> list[int]:
    """Give up the backups that need a key version; return their numbers in the stream of data."""
    mine = _needs(key_id)
    numbers = list(
        transaction.connection.execute(
            select(backup.c.number).where(mine).order_by(backup.c.number)
        ).scalars()
    )
    transaction.connection.execute(update(backup).where(mine).values(forfeited_at=transaction.now))
    return numbers


def regain(transaction: Transaction, key_id: int) -> list[int]:
    """Take back what `forfeit` said; return the numbers.

    Backups that another key's planned destruction gave up too then need that one again; those of which one is destroyed
    stay given up.
    """
    connection, mine = transaction.connection, _name(key_id) & backup.c.forfeited_at.is_not(None)
    destroyed = select(key_version.c.id).where(key_version.c.state == "destroyed")
    gone = [f'"{one:016x}":' for one in connection.execute(destroyed).scalars()]
    query = select(backup.c.number, backup.c.note).where(mine).order_by(backup.c.number)
    numbers = [number for number, note in connection.execute(query) if not any(name in note for name in gone)]
    back = (backup.c.stream == "data") & backup.c.number.in_(numbers)
    connection.execute(update(backup).where(back).values(forfeited_at=None))
    return numbers


def _needs(key_id: int) -> Any:
    return _name(key_id) & backup.c.forfeited_at.is_(None)


def _name(key_id: int) -> Any:
    """Which data backups name the version: a name of 16 hex digits is a member of the manifest's `keys` alone."""
    kept = (backup.c.stream == "data") & (backup.c.state == MADE)
    return kept & backup.c.kind.in_(STEPS) & backup.c.note.contains(f'"{key_id:016x}":', autoescape=True)


def _one(stream: Stream, number: int) -> Any:
    return (backup.c.stream == stream) & (backup.c.number == number)


def _backups(connection: Connection, query: Select[Any]) -> list[Backup]:
    """Return the rows without their manifests, of which one may have a megabyte."""
    columns = [backup.c["bytes" if name == "size" else name] for name in Backup.__slots__]
    return [Backup(*row) for row in connection.execute(query.with_only_columns(*columns))]
