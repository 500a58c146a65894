"""Whether a keyset turns to the end, and what was sealed before still opens."""

from __future__ import annotations

from vault import custody
from vault.recovery.checks.lookups import drawn_rows
from vault.recovery.checks.scratch import Found, Scratch, Skipped, actor
from vault.recovery.checks.values import opened
from vault.resources import Resources
from vault.rotate import kinds
from vault.store import jobs, stale
from vault.store.examining import Tenant
from vault.store.jobs import DONE, Job

PURPOSE = "seal"
LOOK = 0.05  # seconds between two looks at whether the job may go on
MOST = 200  # values opened after it
HOLDER = "drill"


def check(scratch: Scratch) -> Found:
    """Turn the seal keyset of the tenant that has least under it, and open what is under it now."""
    tenant = _chosen(scratch)
    if tenant is None:
        raise Skipped("no_tenant")
    resources, asks = scratch.resources, actor(tenant)
    job = custody.rotate(resources, asks, PURPOSE)
    while job.finished_at is None:
        if kinds.work(resources, HOLDER, lambda: False, scratch.pause) is None:
            scratch.pause(LOOK)
        job = _read(resources, job)
    if job.state != DONE:
        return Found(job.done + job.skipped, max(1, job.skipped), job.error or "job_failed")
    resources.keyring.refresh(tenant.id)
    rows = drawn_rows(scratch, tenant, MOST)
    values = list(opened(resources, resources.keyring.keys(tenant.id), asks, "value", rows))
    bad = sum(value is None for _, value in values)
    return Found(job.done + len(values), bad, "unreadable_value" if bad else "")


def _chosen(scratch: Scratch) -> Tenant | None:
    """Return the tenant with the fewest values under its seal keyset that has any; else the first."""
    with scratch.resources.database.read() as connection:
        sizes = {one: stale.count_seals(connection, one.id, 0) for one in scratch.tenants}
        sizes |= {
            one: size + stale.count_people(connection, one.id, stale.wrapped_by_another(0))
            for one, size in sizes.items()
        }
    return min(sizes, key=lambda one: (not sizes[one], sizes[one]), default=None)


def _read(resources: Resources, job: Job) -> Job:
    with resources.database.read() as connection:
        return jobs.get(connection, job.tenant, job.id) or job
