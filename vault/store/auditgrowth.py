"""What a batch of records adds to a log, written in one transaction: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update

from vault.store.auditlog import Log, Place, Signer, bucket_of, tile_bucket
from vault.store.auditruns import Run, remove
from vault.store.tables import audit_leaf, audit_log
from vault.store.writer import Overtaken, Refused, Transaction

Entries = tuple[bytes, bytes, bytes]  # of a page of a run: the first, the last, all


@dataclass(frozen=True, slots=True)
class Growth:
    """What becomes of a log.

    Attributes:
        log: as it was when this was made.
        leaves: of each record its id, its time in microseconds, and its bytes.
        tiles: level, number and hashes of those that are new or longer.
        pages: of the run that holds the batch's digests.
        note: the signed checkpoint of the new size.
        signers: whose ranges this batch changes, as they are now.
        places: where the records lay in the inbox.
    """

    log: Log
    leaves: Sequence[tuple[bytes, int, bytes]]
    tiles: Sequence[tuple[int, int, bytes]]
    pages: Sequence[Entries]
    note: str
    signers: Sequence[Signer]
    places: Sequence[Place]

    @property
    def size(self) -> int:
        """Leaves in the log afterwards."""
        return self.log.size + len(self.leaves)


def open_log(transaction: Transaction, log: Log) -> bool:
    """Enter a log, empty; False if it is there already."""
    row = (
        log.tenant, log.log, log.opened_at, None, 0, 0, log.previous, log.lost_from, log.lost_to,
    )  # fmt: skip
    claimed = transaction.dialect.claim(transaction.connection, "audit_log", ["tenant", "log"], [row])
    return bool(claimed)


def grow(transaction: Transaction, growth: Growth) -> None:
    """Move the records from the inbox into the log.

    Raises Refused, with Overtaken, if the log has another size by now, or is closed: so no two ever append to it.
    """
    log, connection = growth.log, transaction.connection
    mine = (audit_log.c.tenant == log.tenant) & (audit_log.c.log == log.log)
    unmoved = mine & (audit_log.c.size == log.size) & audit_log.c.closed_at.is_(None)
    moved = connection.execute(update(audit_log).where(unmoved).values(size=growth.size))
    if moved.rowcount != 1:
        raise Refused(Overtaken())
    dialect = transaction.dialect
    dialect.delete(connection, "audit_record", ["bucket", "id"], log.tenant, growth.places)
    transaction.append("audit_leaf", _leaves(growth))
    add_run(transaction, log, Run(log.size, 0, growth.size, len(growth.pages)), growth.pages)
    bucket = bucket_of(log.tenant, growth.size)
    transaction.append(
        "audit_checkpoint", [(bucket, log.tenant, log.log, growth.size, transaction.now, growth.note)]
    )
    tiles = [
        (tile_bucket(log.tenant, number), log.tenant, log.log, level, number, hashes, transaction.epoch)
        for level, number, hashes in growth.tiles
    ]
    dialect.put(connection, "audit_tile", ["bucket", "tenant", "log", "level", "number"], tiles)
    put_signers(transaction, log, growth.signers)


def put_signers(transaction: Transaction, log: Log, signers: Sequence[Signer]) -> None:
    """Enter signers, or their new ranges."""
    rows = [(log.tenant, log.log, *signer) for signer in signers]
    transaction.dialect.put(transaction.connection, "audit_signer", ["tenant", "log", "key"], rows)


def add_run(transaction: Transaction, log: Log, run: Run, pages: Sequence[Entries]) -> None:
    """Enter a run; one without entries has an empty page, since runs are found by the one before them."""
    bucket = bucket_of(log.tenant, run.run)
    rows = [
        (bucket, log.tenant, log.log, run.run, run.tier, at, first, last, run.until, entries)
        for at, (first, last, entries) in enumerate(pages or [(b"", b"", b"")])
    ]
    transaction.append("audit_run", rows)


def replace_runs(transaction: Transaction, log: Log, runs: Sequence[Run], pages: Sequence[Entries]) -> None:
    """Put one run in the place of runs that follow each other."""
    for run in runs:
        remove(transaction, log, run)
    merged = Run(runs[0].run, runs[0].tier + 1, runs[-1].until, len(pages))
    add_run(transaction, log, merged, pages)


def _leaves(growth: Growth) -> list[tuple[object, ...]]:
    log = growth.log
    return [
        (bucket_of(log.tenant, position), log.tenant, log.log, position, record_id, at, leaf)
        for position, (record_id, at, leaf) in enumerate(growth.leaves, log.size)
    ]


def follow(transaction: Transaction, log: Log | None, new: Log) -> None:
    """End a log, where there is one, and open the one that follows.

    Raises Refused, with Overtaken, if the log grew or ended meanwhile, or the new one is there already.
    """
    if log is not None:
        mine = (audit_log.c.tenant == log.tenant) & (audit_log.c.log == log.log)
        unmoved = mine & (audit_log.c.size == log.size) & audit_log.c.closed_at.is_(None)
        closed = transaction.connection.execute(
            update(audit_log).where(unmoved).values(closed_at=transaction.now)
        )
        if closed.rowcount != 1:
            raise Refused(Overtaken())
    if not open_log(transaction, new):
        raise Overtaken


def drop(transaction: Transaction, log: Log, end: int) -> None:
    """Say that a log's records before `end` are not here; Refused, with Overtaken, if somebody else did meanwhile."""
    mine = (audit_log.c.tenant == log.tenant) & (audit_log.c.log == log.log)
    unmoved = mine & (audit_log.c.dropped == log.dropped)
    moved = transaction.connection.execute(update(audit_log).where(unmoved).values(dropped=end))
    if moved.rowcount != 1:
        raise Refused(Overtaken())


def delete_leaves(transaction: Transaction, log: Log, start: int, stop: int) -> None:
    """Delete the leaves from `start` to before `stop`, which lie in one bucket."""
    table = audit_leaf.c
    place = (
        (table.bucket == bucket_of(log.tenant, start)) & (table.tenant == log.tenant) & (table.log == log.log)
    )
    transaction.connection.execute(delete(audit_leaf).where(place, table.position.between(start, stop - 1)))


def delete_checkpoints(transaction: Transaction, log: Log, sizes: Sequence[int]) -> None:
    """Delete the checkpoints of these sizes."""
    keys = [(bucket_of(log.tenant, size), log.log, size) for size in sizes]
    on = ["bucket", "log", "size"]
    transaction.dialect.delete(transaction.connection, "audit_checkpoint", on, log.tenant, keys)
