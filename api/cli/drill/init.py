"""`strongroom drill init`: what a drill host needs of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.connection import Connect, reachable
from api.cli.failure import REFUSED, Failure
from api.cli.screen import Screen

if TYPE_CHECKING:
    from vault.recovery.checks.canary import Canary

SUBJECT = "strongroom-drill"


@click.command(short_help="Make a drill host's keys and its login.")
@reachable
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--subject", default=SUBJECT, show_default=True, help="Whose password the login for drills is.")
@click.option("--no-canary", is_flag=True, help="Make no login, and ask no service.")
def init(screen: Screen, connect: Connect, /, *, folder: Path, subject: str, no_canary: bool) -> None:
    """Make this host's keys in FOLDER, and a login in the live service that drills try; print two lines.

    The lines go into the file of STRONGROOM_BACKUP_RECIPIENTS of the service that is backed up: then its backups are
    sealed to this host too, and its reports are believed. The API key needs the operations passwords and verify for
    this. What is there already stays, so that the command may be said again.
    """
    from api.drills.hostkeys import HostKeys

    os.umask(0o077)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = HostKeys(folder)
    made = keys.make()
    if not no_canary:
        from strongroom_client import credentials

        _store(connect, keys.make_canary(subject, credentials.api_key()))
    lines = keys.lines()
    if screen.json:
        screen.data({"folder": str(folder), "made": made, "recipients": lines})
        return
    screen.note(f"the keys are in {folder}; these lines are for the recipients of backups:")
    for line in lines:
        screen.say(line)


def _store(connect: Connect, canary: Canary) -> None:
    """Have the service know the canary's password; that it does already is good."""
    from strongroom_client import Refused

    with connect() as client:
        try:
            client.store_password(canary.password, subject=canary.subject)
            return
        except Refused as refused:
            code = refused.code
        if code == "password_exists" and client.verify_password(canary.password, subject=canary.subject):
            return
    hint = "say --subject to have another one, or delete that password" if code == "password_exists" else None
    raise Failure(f"the login for drills was refused ({code})", hint, REFUSED, {"code": code})
