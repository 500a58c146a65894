"""Rows of `job`: long work, leased to one worker at a time with a fencing number that only rises."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from vault.errors import JobRunning, LeaseLost
from vault.store.database import Database
from vault.store.tables import job
from vault.store.writer import Refused, Transaction

LEASE_SECONDS = 30.0

BACKUP_KINDS = ("make_backup", "verify_backups", "prune_backups")  # for whoever makes backups
BACKUPS = "backups"  # what they work on, one at a time over all tenants
CANCELLED = "cancelled"  # the error of a job that somebody called off
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work as the database has it.

    Attributes:
        target: what it works on; a tenant has one unfinished job for each.
        phase: the step it is in; empty before the first.
        notes: what it must remember, as JSON can hold it; no key, no value.
        place: how far the phase has come.
        done, total, skipped: rows.
        error: the stable code of what stopped it, or held it up last.
        fence: the number of the holder's lease; a write under an older one is refused.
        created_at, updated_at, finished_at: microseconds since 1970 (UTC).
    """

    id: str
    tenant: int
    kind: str
    target: str
    state: str
    phase: str
    notes: dict[str, Any]
    place: bytes
    done: int
    total: int
    skipped: int
    error: str | None
    actor: str
    request_id: str
    created_at: int
    updated_at: int
    finished_at: int | None
    fence: int = field(default=0, repr=False)


def add(
    transaction: Transaction,
    tenant: int,
    kind: str,
    target: str,
    notes: dict[str, Any],
    actor: str,
    request_id: str,
    *,
    everywhere: bool = False,
) -> Job:
    """Enter a job, to be taken by a worker; Refused, with JobRunning, if the target has an unfinished one.

    Args:
        everywhere: the target is shared by all tenants, so a job of any of them is in the way.
    """
    transaction.dialect.serialize(transaction.connection, f"job {target}")
    unfinished = select(job.c.id).where(job.c.target == target, job.c.finished_at.is_(None))
    if not everywhere:
        unfinished = unfinished.where(job.c.tenant == tenant)
    if transaction.connection.execute(unfinished).first() is not None:
        raise Refused(_running(target))
    row = {
        "id": f"job_{secrets.token_hex(8)}", "tenant": tenant, "kind": kind, "target": target, "state": WAITING,
        "phase": "", "notes": json.dumps(notes), "place": b"", "done": 0, "total": 0, "skipped": 0, "error": None,
        "actor": actor, "request_id": request_id, "created_at": transaction.now, "updated_at": transaction.now,
        "finished_at": None, "holder": "", "fence": 0, "leased_until": 0, "epoch": transaction.epoch,
    }  # fmt: skip
    transaction.connection.execute(insert(job).values(row))
    return _job(row)


def take(
    database: Database, holder: str, gone: Callable[[str], bool], kinds: Collection[str] | None = None
) -> Job | None:
    """Lease the oldest unfinished job that nobody holds; None if there is none.

    Args:
        gone: whether the holder of a name is known to have ended, so that its lease means nothing.
        kinds: those that are meant; None for all but BACKUP_KINDS.
    """
    meant = job.c.kind.not_in(BACKUP_KINDS) if kinds is None else job.c.kind.in_(kinds)

    def work(transaction: Transaction) -> Job | None:
        now = transaction.now
        waiting = (
            select(job)
            .where(job.c.finished_at.is_(None), meant)
            .order_by(job.c.updated_at)
            .with_for_update(skip_locked=True)
        )
        for found in transaction.connection.execute(waiting).mappings().all():
            if found["leased_until"] <= now or gone(found["holder"]):
                changes = {
                    "state": RUNNING, "holder": holder, "fence": found["fence"] + 1, "updated_at": now,
                    "leased_until": now + int(LEASE_SECONDS * 1e6), "epoch": transaction.epoch,
                }  # fmt: skip
                transaction.connection.execute(update(job).where(job.c.id == found["id"]).values(changes))
                return _job({**found, **changes})
        return None

    return database.write(work)


def hold(transaction: Transaction, held: Job, **changes: object) -> None:
    """Renew the lease and store the job's progress, with what else the transaction does.

    Raises LeaseLost, so that nothing of the transaction happens, if the job is somebody else's by now, or has ended.
    """
    if "notes" in changes:
        changes["notes"] = json.dumps(changes["notes"])
    values = {
        "leased_until": transaction.now + int(LEASE_SECONDS * 1e6), "updated_at": transaction.now,
        "epoch": transaction.epoch, **changes,
    }  # fmt: skip
    kept = transaction.connection.execute(
        update(job)
        .where(job.c.id == held.id, job.c.fence == held.fence, job.c.finished_at.is_(None))
        .values(values)
    )
    if kept.rowcount != 1:
        raise LeaseLost("the job was taken over by another worker")


def others_wait(connection: Connection, held: Job, now: int) -> bool:
    """Whether another job could be taken now that is not about backups; `now` in microseconds."""
    others = (job.c.id != held.id) & job.c.finished_at.is_(None) & (job.c.leased_until <= now)
    others &= job.c.kind.not_in(BACKUP_KINDS)
    return connection.execute(select(job.c.id).where(others).limit(1)).first() is not None


def target_of(purpose: str) -> str:
    """Return what jobs call a keyset."""
    return f"keyset {purpose}"


def unfinished(connection: Connection, tenant: int, target: str) -> int:
    """Return how many of the tenant's jobs are at work on a target: one or none."""
    query = select(func.count()).where(
        job.c.tenant == tenant, job.c.target == target, job.c.finished_at.is_(None)
    )
    return int(connection.execute(query).scalar_one())


def cancel(transaction: Transaction, tenant: int, job_id: str) -> Job | None:
    """End a job as it is; return it, or None if the tenant has none of that id.

    Whoever has it finds that it has ended, and changes nothing more.
    """
    mine = (job.c.tenant == tenant) & (job.c.id == job_id)
    over = {
        "state": FAILED, "error": CANCELLED, "finished_at": transaction.now, "updated_at": transaction.now,
        "leased_until": 0, "epoch": transaction.epoch,
    }  # fmt: skip
    transaction.connection.execute(update(job).where(mine, job.c.finished_at.is_(None)).values(over))
    return get(transaction.connection, tenant, job_id)


def get(connection: Connection, tenant: int, job_id: str) -> Job | None:
    """Return one of the tenant's jobs; None if it has none of that id."""
    row = (
        connection.execute(select(job).where(job.c.tenant == tenant, job.c.id == job_id))
        .mappings()
        .one_or_none()
    )
    return None if row is None else _job(dict(row))


def of_tenant(connection: Connection, tenant: int, limit: int) -> list[Job]:
    """Return the tenant's newest jobs, newest first."""
    query = select(job).where(job.c.tenant == tenant).order_by(job.c.created_at.desc(), job.c.id).limit(limit)
    return [_job(dict(row)) for row in connection.execute(query).mappings()]


def _running(target: str) -> JobRunning:
    return JobRunning(f"a job is at work on {target} already: wait for its end")


def _job(row: dict[str, Any]) -> Job:
    values = {name: row[name] for name in Job.__slots__}
    return Job(**{**values, "notes": json.loads(row["notes"])})
