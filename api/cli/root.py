"""`strongroom keys root`: the root keys that wrap every keyset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.following import begun, detach
from api.cli.screen import Screen
from api.cli.stdin import confirm

if TYPE_CHECKING:
    from strongroom_client import Client


@click.group(short_help="Look at root keys, move between them, turn them.")
def root() -> None:
    """Look at the root keys of the service's settings, move every keyset to another, turn a root's own key."""


@root.command("list")
@online
def list_roots(screen: Screen, client: Client, /) -> None:
    """List the root keys, and whether they answer."""
    found = client.roots()
    if screen.json:
        screen.data({"roots": found})
        return
    screen.table(("name", "version", "state"), [(one.name, one.version, one.state) for one in found])


@root.command()
@online
@click.argument("name")
@detach
def move(screen: Screen, client: Client, /, name: str, detach: bool) -> None:
    """Wrap every keyset of every business under the root NAME; no request notices."""
    begun(screen, client, client.move_root(name), detach)


@root.command()
@online
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@detach
def rotate(screen: Screen, client: Client, /, name: str, yes: bool, detach: bool) -> None:
    """Turn the own key of the root NAME, wrap every keyset anew, and retire its older versions.

    Keysets in backups made before do not open under it any more.
    """
    confirm("Turn this root's key and retire its older versions? Keysets in older backups need them.", yes)
    begun(screen, client, client.rotate_root(name), detach)
