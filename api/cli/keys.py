"""`strongroom keys`: what custodians do: look at key versions, turn keysets, take versions out of use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.duration import Duration
from api.cli.following import begun, detach, needs
from api.cli.root import root
from api.cli.screen import Screen
from api.cli.stdin import confirm

if TYPE_CHECKING:
    from strongroom_client import Client, Keyset, KeyVersion

PURPOSES = ("seal", "index", "audit", "password", "route")
COUNTED = ("seal", "password")  # a key seals so many messages, and no more
TITLES = (
    "purpose", "id", "state", "root", "since", "messages", "cryptoperiod ends", "condition", "destruction",
)  # fmt: skip
SHOWN = ("id", "state", "root", "created", "active since", "until", "destruction", "condition", "needed by")

purpose_argument = click.argument("purpose", metavar="PURPOSE", type=click.Choice(PURPOSES))
id_argument = click.argument("key_id", metavar="ID")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group(short_help="Look at keys, turn them, destroy them.")
def keys() -> None:
    """Look at key versions, turn keysets, take versions out of use and destroy them; never a key itself.

    Looking needs an API key with the operation keys, the rest one with custody; but what concerns root keys, which
    every business depends on, needs roots: `strongroom bootstrap --operator` makes the first such key.
    """


@keys.command("list")
@online
def list_keys(screen: Screen, client: Client, /) -> None:
    """List the versions of every keyset, and which should be turned."""
    found = client.keysets()
    if screen.json:
        screen.data({"keysets": found})
        return
    screen.table(TITLES, (row for keyset in found for row in _rows(keyset)))
    for keyset in found:
        for version in keyset.versions:
            if version.condition != "ok":
                screen.note(f"hint: `strongroom keys rotate {keyset.purpose}`: it is {version.condition}")


@keys.command()
@online
@purpose_argument
def show(screen: Screen, client: Client, /, purpose: str) -> None:
    """Show the versions of the keyset PURPOSE (seal, index, audit, password, route) and count what needs each.

    This reads whole tables.
    """
    found = client.keyset(purpose)
    if screen.json:
        screen.data(found)
        return
    screen.table(SHOWN, [
        (v.id, v.state, v.root, v.created_at, v.activated_at, v.deactivated_at, v.destroy_at, v.condition,
         needs(v.needed_by) if v.needed_by else "nothing")
        for v in found.versions
    ])  # fmt: skip


@keys.command()
@online
@purpose_argument
@detach
def rotate(screen: Screen, client: Client, /, purpose: str, detach: bool) -> None:
    """Give the keyset PURPOSE (seal, index, audit or password) a new version, and bring everything under it.

    The old version then only opens, until it is destroyed.
    Tokens stay what they are, and the service goes on. A job that is stopped goes on where it was.
    """
    begun(screen, client, client.rotate_keyset(purpose), detach)


@keys.command()
@online
@click.argument("root", metavar="ROOT")
@detach
def rewrap(screen: Screen, client: Client, /, root: str, detach: bool) -> None:
    """Wrap every keyset under the newest version of the own key of ROOT."""
    begun(screen, client, client.rewrap(root), detach)


@keys.command()
@online
@id_argument
@yes_option
@detach
def compromise(screen: Screen, client: Client, /, key_id: str, yes: bool, detach: bool) -> None:
    """Take everything from under the version ID, which leaked, and destroy it at once.

    Person keys are made anew. What only that version opens is lost with it: values in backups made before.
    """
    confirm("Take everything from under this key version and destroy it now? Backups need it.", yes)
    begun(screen, client, client.compromise_key(key_id), detach)


@keys.command()
@online
@id_argument
def disable(screen: Screen, client: Client, /, key_id: str) -> None:
    """Suspend the version ID, which nothing needs: it opens nothing until it is enabled."""
    _tell(screen, client.disable_key(key_id))


@keys.command()
@online
@id_argument
def enable(screen: Screen, client: Client, /, key_id: str) -> None:
    """Let the suspended version ID open again."""
    _tell(screen, client.enable_key(key_id))


@keys.command()
@online
@id_argument
@click.option(
    "--wait", type=Duration(), metavar="DURATION", help="24h to 365d, when it is destroyed; default 30d."
)
@click.option("--forfeit-backups", is_flag=True, help="Give the backups up that need it; says which.")
@yes_option
def destroy(
    screen: Screen, client: Client, /, key_id: str, wait: int | None, forfeit_backups: bool, yes: bool
) -> None:
    """Plan the destruction of the version ID, which nothing needs; `cancel` calls it off until then.

    Backups need it until they are no longer kept.
    """
    confirm("Have this key version destroyed? Until then it can be cancelled, and no longer.", yes)
    if forfeit_backups:
        confirm("Give up every backup that needs it? None of them can then be restored in full.", yes)
    _tell(screen, client.destroy_key(key_id, wait_seconds=wait, forfeit_backups=forfeit_backups))


@keys.command()
@online
@id_argument
def cancel(screen: Screen, client: Client, /, key_id: str) -> None:
    """Call the planned destruction of the version ID off."""
    _tell(screen, client.cancel_destruction(key_id))


keys.add_command(root)


def _tell(screen: Screen, version: KeyVersion) -> None:
    if screen.json:
        screen.data(version)
        return
    planned = f", to be destroyed on {version.destroy_at:%Y-%m-%dT%H:%M:%SZ}" if version.destroy_at else ""
    screen.say(f"{version.id} is {version.state}{planned}")
    if version.forfeits:
        screen.say(f"given up: backups {', '.join(map(str, version.forfeits))}")


def _rows(keyset: Keyset) -> Iterator[tuple[object, ...]]:
    for version in keyset.versions:
        used = f"{version.messages / version.max_messages:.2%}" if keyset.purpose in COUNTED else None
        yield (
            keyset.purpose, version.id, version.state, version.root, _since(version), used, version.expires_at,
            version.condition if keyset.rotates else "never turns", version.destroy_at,
        )  # fmt: skip


def _since(version: KeyVersion) -> datetime:
    """Return since when a version is no longer what it was before."""
    return version.deactivated_at or version.activated_at or version.created_at
