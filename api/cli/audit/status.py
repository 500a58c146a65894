"""`strongroom audit status`: how the log is, and who takes its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import AuditStatus, Client

log_option = click.option("--log", type=click.IntRange(1), help="Which log; default the newest.")


@click.command()
@online
@log_option
def status(screen: Screen, client: Client, /, log: int | None) -> None:
    """Say how the audit's log is, and how the places outside are that take its records."""
    found = client.audit_status(log)
    screen.data(found) if screen.json else tell(screen, found)


def tell(screen: Screen, found: AuditStatus) -> None:
    """Print how a log is."""
    if not found.log:
        screen.say(f"there is no log yet; {found.pending:,} records wait to be sealed")
        return
    sealed = f", sealed {found.sealed_at:%Y-%m-%dT%H:%M:%SZ}" if found.sealed_at else ""
    screen.say(f"{found.origin}: {found.size:,} records{sealed}; {found.pending:,} wait")
    if found.dropped:
        screen.say(f"records before {found.dropped:,} were archived")
    if found.closed_at:
        screen.say(f"ended {found.closed_at:%Y-%m-%dT%H:%M:%SZ}")
    if found.former:
        former = found.former
        lost = f"lost the records {former.lost_from:,} to {former.lost_to:,}"
        if former.lost_to < former.lost_from:
            lost = "lost none that is known of"
        screen.say(f"follows {former.checkpoint.partition(chr(10))[0]}, of which a restore {lost}")
    for key in found.keys:
        if key.vkey:
            screen.say(f"key {key.vkey}")
    rows = [("sealer", found.sealer)] if found.sealer else []
    for name, one in [*rows, *((one.name, one) for one in found.sinks)]:
        held = "" if one.position is None else f", holds the records before {one.position:,}"
        screen.say(f"{name}: {one.state} since {one.since:%Y-%m-%dT%H:%M:%SZ}{held}")
