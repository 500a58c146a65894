"""`strongroom audit records`: who did what, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen
from api.cli.stdin import last_line
from api.cli.times import since_option, until_option

if TYPE_CHECKING:
    from strongroom_client import AuditReach, AuditRecord, Client

TITLES = (
    "id", "at", "caller", "operation", "fields", "purpose", "view", "result", "done", "refused", "tokens", "origin",
    "reference", "target", "request", "log", "position",
)  # fmt: skip


@click.command()
@online
@click.option("--caller", help="An API key's id, or another caller's name: oidc:… or cert:…")
@click.option("--token", is_flag=True, help="Those that name one token, which is read from standard input.")
@click.option(
    "--subject", is_flag=True, help="Those that name a person, whose id is read from standard input."
)
@click.option("--field", help="Field type.")
@click.option("--operation", help="Such as reveal or audit_read.")
@click.option("--result", help="ok, or the code of a refusal.")
@since_option
@until_option
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def records(
    screen: Screen, client: Client, /, *, caller: str | None, token: bool, subject: bool, field: str | None,
    operation: str | None, result: str | None, since: datetime | None, until: datetime | None, limit: int,
) -> None:  # fmt: skip
    """List the records that fit all that is said, the newest first.

    A token or a person's id is never an argument, which other users of the machine could see.
    """
    if token and subject:
        raise click.UsageError("say one of --token and --subject: standard input holds one line")
    pages = client.audit_pages(
        caller=caller, token=last_line("Token") if token else None, field=field,
        subject=last_line("Subject") if subject else None, operation=operation, result=result, since=since,
        until=until, page=min(limit, 1_000),
    )  # fmt: skip
    found: list[AuditRecord] = []
    reach: AuditReach | None = None
    for page in pages:
        reach = reach or page
        found += page.records
        if len(found) >= limit:
            break
    show(screen, found[:limit], reach)


def show(screen: Screen, found: Iterable[AuditRecord], reach: AuditReach | None) -> None:
    """Print records and how far they go."""
    if screen.json:
        screen.data({"records": list(found), **reached(reach)})
        return
    screen.table(TITLES, map(_row, found))
    if reach is not None:
        screen.note(told(reach))


def reached(reach: AuditReach | None) -> dict[str, object]:
    """Return how far an answer goes, for --json."""
    if reach is None:
        return {}
    return {name: getattr(reach, name) for name in ("log", "sealed_to", "sealed_at", "pending", "dropped")}


def told(reach: AuditReach) -> str:
    """Return how far an answer goes, in a line."""
    sealed = f", sealed {reach.sealed_at:%Y-%m-%dT%H:%M:%SZ}" if reach.sealed_at else ""
    return f"the records before {reach.sealed_to:,} of log {reach.log}{sealed}; {reach.pending:,} wait to be sealed"


def _row(one: AuditRecord) -> tuple[object, ...]:
    return (
        one.id, one.at, one.caller_name or one.caller, one.operation, one.fields or None, one.purpose or None,
        one.view or None, one.result, one.count, one.refused, one.tokens, one.origin or None, one.reference or None,
        one.target or None, one.request_id, one.log, one.position,
    )  # fmt: skip
