"""`strongroom recovery`: the key with which backups are opened when nothing else is left, and its custodians."""

from __future__ import annotations

import click

from api.cli.recovery.check import check
from api.cli.recovery.init import init
from api.cli.recovery.keys import keys
from api.cli.recovery.page import page


@click.group(short_help="Make the recovery key as shares, and check them.")
def recovery() -> None:
    """Make the recovery key as shares of custodians, check shares, keep and print what is public of it.

    Runs on a machine of the custodians: it needs no service, no database and no settings. Best one without a network,
    with swap turned off, started from a medium that is wiped after.
    """


for command in (init, check, keys, page):
    recovery.add_command(command)
