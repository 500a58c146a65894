"""Rows of `audit_run`: the sorted runs that say where a digest occurs in a log, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select, text

from vault.index import BUCKETS
from vault.store.auditlog import BLOCK, Log, bucket_of
from vault.store.tables import audit_run
from vault.store.writer import Transaction

# The runs of a log follow each other without a gap, so each one says where the next begins.
_RUNS = text(
    "WITH RECURSIVE w(run, tier, until) AS ("
    "SELECT run, tier, until FROM audit_run WHERE bucket = :bucket AND tenant = :tenant AND log = :log "
    "AND run = :start AND page = 0 "
    f"UNION ALL SELECT r.run, r.tier, r.until FROM w JOIN audit_run r ON r.bucket = (:base + w.until / {BLOCK}) "
    f"% {BUCKETS} AND r.tenant = :tenant AND r.log = :log AND r.run = w.until AND r.page = 0) "
    "SELECT w.run, w.tier, w.until, (SELECT max(p.page) + 1 FROM audit_run p "
    f"WHERE p.bucket = (:base + w.run / {BLOCK}) % {BUCKETS} AND p.tenant = :tenant AND p.log = :log "
    "AND p.run = w.run AND p.tier = w.tier) FROM w ORDER BY w.run"
)


class Run(NamedTuple):
    """One run: its first position, how often it was merged, the position behind its last, how many pages."""

    run: int
    tier: int
    until: int
    pages: int


def runs(connection: Connection, log: Log) -> list[Run]:
    """Return a log's runs in order; those of dropped positions alone are left out."""
    tenant, start = log.tenant, _first(connection, log)
    values = {
        "tenant": tenant, "log": log.log, "start": start, "base": tenant % BUCKETS, "bucket": bucket_of(tenant, start),
    }  # fmt: skip
    return [Run(*row) for row in connection.execute(_RUNS, values)]


def pages(connection: Connection, log: Log, run: Run) -> Iterator[bytes]:
    """Yield the entries of a run, page by page."""
    for page in range(run.pages):
        query = select(audit_run.c.entries).where(*_of(log, run), audit_run.c.page == page)
        yield bytes(connection.execute(query).scalar_one())


def holding(connection: Connection, log: Log, run: Run, least: bytes, end: bytes) -> Iterator[bytes]:
    """Yield the pages of a run that may hold entries from `least` to before `end`, the last one first."""
    where = (*_of(log, run), audit_run.c.first < end, audit_run.c.last >= least)
    numbers = connection.execute(select(audit_run.c.page).where(*where).order_by(audit_run.c.page.desc()))
    for page in numbers.scalars().all():
        query = select(audit_run.c.entries).where(*_of(log, run), audit_run.c.page == page)
        yield bytes(connection.execute(query).scalar_one())


def remove(transaction: Transaction, log: Log, run: Run) -> None:
    """Delete a run, which was merged into another or whose positions were dropped."""
    transaction.connection.execute(delete(audit_run).where(*_of(log, run)))


def _of(log: Log, run: Run) -> tuple[ColumnElement[bool], ...]:
    table = audit_run.c
    return (
        table.bucket == bucket_of(log.tenant, run.run), table.tenant == log.tenant, table.log == log.log,
        table.run == run.run, table.tier == run.tier,
    )  # fmt: skip


def _first(connection: Connection, log: Log) -> int:
    """Return where the run begins that holds the first position that was not dropped."""
    block = log.dropped // BLOCK * BLOCK
    table = audit_run.c
    while block >= 0:
        query = select(func.max(table.run)).where(
            table.bucket == bucket_of(log.tenant, block), table.tenant == log.tenant, table.log == log.log,
            table.run.between(block, log.dropped),
        )  # fmt: skip
        found: int | None = connection.execute(query).scalar()
        if found is not None:
            return found
        block -= BLOCK
    return 0
