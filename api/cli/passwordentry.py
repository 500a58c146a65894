"""Commands that take a password: from the terminal, unseen, or from standard input; never from the arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen
from api.cli.stdin import last_line
from api.cli.whose import whose

if TYPE_CHECKING:
    from strongroom_client import Client, PasswordChosen, Whose


@click.command()
@online
@whose
def store(screen: Screen, client: Client, /, *, whose: Whose) -> None:
    """Give a login its first password."""
    _tell(screen, client.store_password(last_line("Password", twice=True), **whose), "stored")


@click.command()
@online
@whose
def reset(screen: Screen, client: Client, /, *, whose: Whose) -> None:
    """Replace a password without the old one, once the person was identified otherwise; unlocks the login."""
    _tell(screen, client.reset_password(last_line("New password", twice=True), **whose), "reset")


@click.command()
@online
@whose
def verify(screen: Screen, client: Client, /, *, whose: Whose) -> None:
    """Say whether a password is the login's; exit with 1 if it is not, or if there is no such login.

    This counts as a log-in: it goes on record, and a wrong password counts towards the wait.
    """
    found = client.verify_password(last_line("Password"), **whose)
    if screen.json:
        screen.data(found)
    else:
        screen.say("the password is right" if found else "the password is not right")
    if not found:
        sys.exit(REFUSED_ROWS)


def _tell(screen: Screen, chosen: PasswordChosen, done: str) -> None:
    if screen.json:
        screen.data(chosen)
        return
    screen.say(f"the password is {done}; how hard it is to guess, 0 to 4: {chosen.score}")
    if chosen.warning:
        screen.note(f"warning: {chosen.warning}")
