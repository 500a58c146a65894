"""`strongroom doctor`: what is wrong with this machine's service, and how to mend it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from api.cli.connection import as_json
from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen

if TYPE_CHECKING:
    from api.cli.findings import Finding

COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red"}


@click.command(short_help="Say what is wrong and how to mend it.")
@as_json
@click.pass_obj
def doctor(screen: Screen) -> None:
    """Check versions, settings, keys, database, disk, clock, hashing, callers, TLS and port; exit 1 if any fails."""
    from api.cli.checkup import findings

    found = findings()
    failed = any(finding.state == "FAIL" for finding in found)
    if screen.json:
        screen.data({"ok": not failed, "checks": found})
    else:
        for finding in found:
            _show(screen, finding)
    if failed:
        sys.exit(REFUSED_ROWS)


def _show(screen: Screen, finding: Finding) -> None:
    state = click.style(f"{finding.state:<4}", fg=COLOURS[finding.state])
    click.echo(f"{state}  {finding.name:<10} ", nl=False)
    screen.say(finding.text)
    if finding.hint:
        screen.say(f"      {'':<10} hint: {finding.hint}")
