"""A tenant's audit log in the database: its inbox, its leaves in the tree's order, tiles, checkpoints and signers.

A bucket holds what belongs to 65,536 positions of a log, so none grows for ever; the next number goes to the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from vault.index import BUCKETS
from vault.store.dialect import Dialect
from vault.store.tables import audit_checkpoint, audit_leaf, audit_log, audit_record, audit_signer, audit_sink

BLOCK = 65_536  # positions in a bucket
TILE = 256  # positions that a tile of level 0 covers

Place = tuple[int, bytes]  # of a record in the inbox: bucket and id


class Log(NamedTuple):
    """A row of `audit_log`; times in microseconds since 1970 (UTC)."""

    tenant: int
    log: int
    opened_at: int
    closed_at: int | None
    size: int
    dropped: int
    previous: str | None
    lost_from: int | None
    lost_to: int | None


class Waiting(NamedTuple):
    """A record that is in no tree yet; `size` in bytes."""

    tenant: int
    bucket: int
    id: bytes
    size: int


class Leaf(NamedTuple):
    """A record as it lies in the tree."""

    position: int
    id: bytes
    leaf: bytes


class Checkpoint(NamedTuple):
    """A signed checkpoint, and when it was signed."""

    size: int
    at: int
    note: str


class Signer(NamedTuple):
    """An audit keyset version in a log: its public key, empty if it signed nothing there, and what it hid.

    `first` and `last` are positions of the first and last leaf whose token digests are under it; None if there is none.
    """

    key: int
    public: bytes
    first: int | None
    last: int | None
    created_at: int


def bucket_of(tenant: int, position: int) -> int:
    """Return the bucket of a position; of a tile's first position, a checkpoint's size, a run's first position, too."""
    return (tenant + position // BLOCK) % BUCKETS


def tile_bucket(tenant: int, number: int) -> int:
    """Return the bucket of a tile, of any level."""
    return bucket_of(tenant, number * TILE)


def current(connection: Connection, tenant: int) -> Log | None:
    """Return the tenant's newest log; None before the first."""
    query = select(audit_log).where(audit_log.c.tenant == tenant).order_by(audit_log.c.log.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return None if found is None else Log(*found)


def logs(connection: Connection, tenant: int | None = None) -> list[Log]:
    """Return all logs, or those of one tenant, oldest first."""
    query = select(audit_log).order_by(audit_log.c.tenant, audit_log.c.log)
    if tenant is not None:
        query = query.where(audit_log.c.tenant == tenant)
    return [Log(*row) for row in connection.execute(query)]


def waiting(connection: Connection, limit: int, without: Sequence[int] = ()) -> list[Waiting]:
    """Return the oldest records in the inbox, oldest id first, at most `limit`; not those of tenants in `without`."""
    size = func.length(audit_record.c.leaf)
    query = select(audit_record.c.tenant, audit_record.c.bucket, audit_record.c.id, size)
    if without:
        query = query.where(audit_record.c.tenant.not_in(list(without)))
    found = connection.execute(query.order_by(audit_record.c.id).limit(limit))
    return [Waiting(*row) for row in found]


def inbox(
    connection: Connection, dialect: Dialect, tenant: int, places: Sequence[Place]
) -> dict[bytes, bytes]:
    """Return the leaves of the tenant's records in the inbox, by id; those that are not there any more are left out."""
    found = dialect.match(connection, "audit_record", ["id", "leaf"], ["bucket", "id"], tenant, places)
    return {bytes(row[0]): bytes(row[1]) for row in found}


def in_inbox(connection: Connection, dialect: Dialect, tenant: int, record_id: bytes) -> bool:
    """Whether the tenant has a record of that id in the inbox."""
    return bool(dialect.anywhere(connection, "audit_record", ["id"], tenant, {"id": record_id}))


def pending(connection: Connection, tenant: int, most: int) -> int:
    """Return how many of the tenant's records are in the inbox, counting up to `most`."""
    some = select(audit_record.c.id).where(audit_record.c.tenant == tenant).limit(most).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def oldest_waiting(connection: Connection) -> int | None:
    """Return when the oldest record in the inbox was written, in microseconds; None if it is empty."""
    oldest = connection.execute(select(func.min(audit_record.c.id))).scalar()
    return None if oldest is None else int.from_bytes(oldest[:8], "big")


def leaves(connection: Connection, tenant: int, log: int, first: int, limit: int) -> list[Leaf]:
    """Return the leaves at `first` and behind it, at most `limit`, in order."""
    wanted = (audit_leaf.c.position, audit_leaf.c.id, audit_leaf.c.leaf)
    found: list[Leaf] = []
    for low, high in _blocks(first, first + limit):
        query = select(*wanted).where(*_there(tenant, log, low), audit_leaf.c.position.between(low, high - 1))
        found += [
            Leaf(row[0], bytes(row[1]), bytes(row[2]))
            for row in connection.execute(query.order_by(audit_leaf.c.position))
        ]
    return found


def leaves_at(
    connection: Connection, dialect: Dialect, tenant: int, log: int, positions: Sequence[int]
) -> dict[int, Leaf]:
    """Return the leaves at these positions; those that were dropped are left out."""
    keys = [(bucket_of(tenant, at), log, at) for at in positions]
    columns, on = ["position", "id", "leaf"], ["bucket", "log", "position"]
    found = dialect.match(connection, "audit_leaf", columns, on, tenant, keys)
    return {row[0]: Leaf(row[0], bytes(row[1]), bytes(row[2])) for row in found}


def time_of(connection: Connection, tenant: int, log: int, position: int) -> int | None:
    """Return when the record at a position was written, in microseconds; None if there is none."""
    query = select(audit_leaf.c.at).where(*_there(tenant, log, position), audit_leaf.c.position == position)
    found: int | None = connection.execute(query).scalar()
    return found


def position_at(connection: Connection, log: Log, at: int) -> int:
    """Return about where the records written at `at` (microseconds) begin, by binary search.

    Records lie in the order of their commits, which differs from that of their times by as long as a request may take:
    whoever wants all of a time looks that much further on both sides.
    """
    low, high = log.dropped, log.size
    while low < high:
        middle = (low + high) // 2
        if (time_of(connection, log.tenant, log.log, middle) or 0) < at:
            low = middle + 1
        else:
            high = middle
    return low


def tiles(
    connection: Connection, dialect: Dialect, tenant: int, log: int, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], bytes]:
    """Return the hashes of tiles, by level and number; those that there are not are left out."""
    keys = [(tile_bucket(tenant, number), log, level, number) for level, number in wanted]
    columns, on = ["level", "number", "hashes"], ["bucket", "log", "level", "number"]
    found = dialect.match(connection, "audit_tile", columns, on, tenant, keys)
    return {(row[0], row[1]): bytes(row[2]) for row in found}


def checkpoint(connection: Connection, tenant: int, log: int, size: int) -> Checkpoint | None:
    """Return the checkpoint of that size; the log's own size always has one."""
    found = checkpoints(connection, tenant, log, size - 1, size, 1)
    return found[0] if found else None


def checkpoints(
    connection: Connection, tenant: int, log: int, after: int, until: int, limit: int
) -> list[Checkpoint]:
    """Return the checkpoints of more than `after` and at most `until` leaves, the smallest first, at most `limit`."""
    table, found = audit_checkpoint, list[Checkpoint]()
    for low, high in _blocks(after + 1, until + 1):
        query = (
            select(table.c.size, table.c.at, table.c.note)
            .where(table.c.bucket == bucket_of(tenant, low), table.c.tenant == tenant, table.c.log == log)
            .where(table.c.size.between(low, high - 1))
            .order_by(table.c.size)
            .limit(limit - len(found))
        )
        found += [Checkpoint(*row) for row in connection.execute(query)]
        if len(found) >= limit:
            break
    return found


def signers(connection: Connection, tenant: int, log: int | None = None) -> list[tuple[int, Signer]]:
    """Return number of the log and signer of a tenant's logs, or of one, oldest first."""
    query = select(audit_signer).where(audit_signer.c.tenant == tenant)
    if log is not None:
        query = query.where(audit_signer.c.log == log)
    found = connection.execute(query.order_by(audit_signer.c.log, audit_signer.c.created_at))
    return [
        (row.log, Signer(row.key, bytes(row.public), row.first, row.last, row.created_at)) for row in found
    ]


def sinks_ahead(connection: Connection, tenant: int, log: int, size: int) -> bool:
    """Whether a sink was given more than the log has: then the database is older than what is outside."""
    ahead = (audit_sink.c.position > size) | (audit_sink.c.size > size)
    newer = (audit_sink.c.log > log) | ((audit_sink.c.log == log) & ahead)
    query = select(audit_sink.c.name).where(audit_sink.c.tenant == tenant, newer).limit(1)
    return connection.execute(query).first() is not None


def _there(tenant: int, log: int, position: int) -> tuple[Any, Any, Any]:
    table = audit_leaf
    return table.c.bucket == bucket_of(tenant, position), table.c.tenant == tenant, table.c.log == log


def _blocks(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a range of positions where one bucket ends and the next begins."""
    while first < end:
        edge = min(end, (first // BLOCK + 1) * BLOCK)
        yield first, edge
        first = edge
