"""Which processes live, and which generation of whose keysets each has in memory."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from vault.store.tables import process, process_keys
from vault.store.writer import Transaction

LIVE_SECONDS = 20.0  # who was not heard of for longer is dead, or holds no lease that matters


def announce(transaction: Transaction, process_id: str, kind: str, loaded: Mapping[int, int]) -> None:
    """Say that a process lives, and which generation of each tenant's keysets it has loaded."""
    connection, now = transaction.connection, transaction.now
    seen = connection.execute(update(process).where(process.c.id == process_id).values(seen_at=now))
    if seen.rowcount == 0:
        values = {"id": process_id, "kind": kind, "started_at": now, "seen_at": now}
        connection.execute(insert(process).values(values))
    connection.execute(delete(process_keys).where(process_keys.c.process == process_id))
    if loaded:
        rows = [{"process": process_id, "tenant": key, "generation": held} for key, held in loaded.items()]
        connection.execute(insert(process_keys), rows)


def leave(transaction: Transaction, process_id: str) -> None:
    """Say that a process has ended."""
    transaction.connection.execute(delete(process_keys).where(process_keys.c.process == process_id))
    transaction.connection.execute(delete(process).where(process.c.id == process_id))


def behind(connection: Connection, tenant: int, generation: int, now: int) -> list[str]:
    """Return the live processes that hold an older generation of the tenant's keysets; `now` in microseconds."""
    query = (
        select(process.c.id)
        .join(process_keys, process.c.id == process_keys.c.process)
        .where(
            process_keys.c.tenant == tenant,
            process_keys.c.generation < generation,
            process.c.seen_at > now - int(LIVE_SECONDS * 1e6),
        )
    )
    return list(connection.execute(query).scalars())


def sweep(transaction: Transaction) -> int:
    """Forget the processes that have not been heard of for an hour; return how many."""
    over = select(process.c.id).where(process.c.seen_at < transaction.now - 3_600_000_000)
    transaction.connection.execute(delete(process_keys).where(process_keys.c.process.in_(over)))
    gone = transaction.connection.execute(
        delete(process).where(process.c.seen_at < transaction.now - 3_600_000_000)
    )
    return gone.rowcount
