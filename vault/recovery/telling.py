"""What is told of backups: a record in every tenant's log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from keys.errors import KeyProblem
from vault.audit import journal
from vault.columns import Actor
from vault.resources import Resources
from vault.store import auditlog

KEEPER = Actor(
    0, "live", "backups", "backups", kind="local"
)  # in whose name what nobody asked for is on record


def rows(
    resources: Resources,
    operation: str,
    actor: Actor = KEEPER,
    *,
    result: str = "ok",
    count: int = 0,
    target: str = "",
) -> Iterable[journal.Row]:
    """Return a record for every tenant with a log, as far as its keys can be had.

    Args:
        actor: who asked for it; its tenant does not count.
        result: "ok" or the stable code of what failed.
        count: how many, of what is every business's: never rows, which would tell of others' business.
        target: what it is about: stream and number of a backup.
    """
    with resources.database.read() as connection:
        tenants = sorted({log.tenant for log in auditlog.logs(connection)})
    for tenant in tenants:
        theirs = replace(actor, tenant=tenant)
        yield from row(resources, operation, theirs, result=result, count=count, target=target)


def row(
    resources: Resources,
    operation: str,
    actor: Actor,
    *,
    result: str = "ok",
    count: int = 0,
    target: str = "",
) -> list[journal.Row]:
    """Return one record for the actor's tenant; none if its keys cannot be had."""
    try:
        keys = resources.keyring.keys(actor.tenant)
    except KeyProblem:
        return []
    now = resources.database.now()
    return [journal.row(keys, actor, now, operation, result=result, count=count, target=target)]
