"""Commands on passwords that need none: how they stand, and a login unlocked or without its password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen
from api.cli.stdin import confirm
from api.cli.whose import whose

if TYPE_CHECKING:
    from strongroom_client import Client, Whose


@click.command()
@online
def status(screen: Screen, client: Client, /) -> None:
    """Count the passwords by scheme, and those that are hashed anew at the next log-in.

    This reads whole tables.
    """
    found = client.password_status()
    if screen.json:
        screen.data(found)
        return
    screen.table(("scheme", "passwords"), sorted(found.kinds.items()))
    screen.note(f"passwords: {found.passwords:,}, behind: {found.behind:,}, locked logins: {found.locked:,}")
    screen.note(f"new ones: {found.profile}")


@click.command()
@online
@whose
def unlock(screen: Screen, client: Client, /, *, whose: Whose) -> None:
    """Forget the wrong passwords of a login, so that it may be tried at once."""
    unlocked = client.unlock_login(**whose)
    if screen.json:
        screen.data({"unlocked": unlocked})
    else:
        screen.say("the wrong passwords are forgotten" if unlocked else "no wrong passwords were counted")


@click.command()
@online
@whose
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(screen: Screen, client: Client, /, *, whose: Whose, yes: bool) -> None:
    """Delete a login's password; the login stays, and cannot log in until it gets another."""
    confirm("Delete the password of this login?", yes)
    client.delete_password(**whose)
    screen.data({"deleted": True}) if screen.json else screen.say("the password is deleted")
