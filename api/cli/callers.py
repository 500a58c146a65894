"""`strongroom callers`: who may do nothing any more, and is let again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

caller_argument = click.argument("caller", metavar="CALLER")


@click.group(short_help="Stop callers, and let them again.")
def callers() -> None:
    """Stop callers, and let them again: API keys by their id, others by their name."""


@callers.command("frozen")
@online
def list_frozen(screen: Screen, client: Client, /) -> None:
    """List the callers that may do nothing."""
    found = client.frozen_callers()
    if screen.json:
        screen.data({"frozen": found})
        return
    titles = ("caller", "since", "by", "reason")
    screen.table(titles, [(one.caller, one.at, one.frozen_by, one.reason) for one in found])


@callers.command()
@online
@caller_argument
@click.option("--reason", required=True, help="Why; goes into the audit and the list.")
def freeze(screen: Screen, client: Client, /, caller: str, reason: str) -> None:
    """Let CALLER do nothing any more, within a second."""
    client.freeze_caller(caller, reason)
    screen.data({"frozen": caller}) if screen.json else screen.say(f"{caller} is frozen")


@callers.command()
@online
@caller_argument
def unfreeze(screen: Screen, client: Client, /, caller: str) -> None:
    """Let CALLER act again."""
    client.unfreeze_caller(caller)
    screen.data({"unfrozen": caller}) if screen.json else screen.say(f"{caller} may act again")
