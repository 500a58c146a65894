"""`strongroom apikey`: keys made, listed, revoked and rotated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import outfile
from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, NewApiKey

OPERATIONS = (
    "tokenize", "reveal", "reveal_plain", "find", "describe", "list", "delete", "erase", "apikeys",
    "keys", "custody", "roots", "verify", "passwords", "unlock", "logins",
    "compare", "audit", "policy", "approve", "decoys", "callers", "backups",
)  # fmt: skip
TITLES = ("id", "name", "mode", "operations", "fields", "roles", "made by", "created", "expires", "revoked")

to_file = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File for the key's text, mode 0600; default stdout.",
)


@click.group()
def apikey() -> None:
    """Make, list, revoke and rotate API keys."""


@apikey.command()
@online
@click.argument("name")
@click.option(
    "--operation", "operations", multiple=True, required=True, type=click.Choice(OPERATIONS),
    help="What the key may do. Repeatable.",
)  # fmt: skip
@click.option(
    "--field", "fields", multiple=True, help="Field type that the key reaches; default all. Repeatable."
)
@click.option(
    "--role", "roles", multiple=True, help="Role of the policy that the key has by itself. Repeatable."
)
@click.option("--expires-in", type=click.IntRange(1, 3_155_760_000), metavar="SECONDS", help="Default never.")
@to_file
def create(
    screen: Screen, client: Client, /, *, name: str, operations: tuple[str, ...], fields: tuple[str, ...],
    roles: tuple[str, ...], expires_in: int | None, output: Path | None,
) -> None:  # fmt: skip
    """Make an API key named NAME and show it this once."""
    if output is not None:
        outfile.check(output, force=False)
    made = client.create_api_key(
        name, operations, fields=fields or None, expires_in_seconds=expires_in, roles=roles
    )
    _hand_over(screen, made, output)


@apikey.command("list")
@online
def list_keys(screen: Screen, client: Client, /) -> None:
    """List API keys, without their texts."""
    keys = client.list_api_keys()
    if screen.json:
        screen.data({"apikeys": keys})
        return
    screen.table(TITLES, [
        (k.id, k.name, k.mode, k.operations, k.fields or "all", k.roles or None, k.made_by, k.created_at, k.expires_at,
         k.revoked_at)
        for k in keys
    ])  # fmt: skip


@apikey.command()
@online
@click.argument("key_id", metavar="ID")
def revoke(screen: Screen, client: Client, /, key_id: str) -> None:
    """Make the API key ID useless at once."""
    client.revoke_api_key(key_id)
    screen.data({"revoked": key_id}) if screen.json else screen.say(f"{key_id} is revoked")


@apikey.command()
@online
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap", type=click.IntRange(0, 2_592_000), metavar="SECONDS",
    help="How long the old text stays good; default a day.",
)  # fmt: skip
@to_file
def rotate(screen: Screen, client: Client, /, key_id: str, overlap: int | None, output: Path | None) -> None:
    """Replace the text of the API key ID, and show the new one this once."""
    if output is not None:
        outfile.check(output, force=False)
    _hand_over(screen, client.rotate_api_key(key_id, overlap_seconds=overlap), output)


def _hand_over(screen: Screen, made: NewApiKey, output: Path | None) -> None:
    if output is not None:
        with outfile.created(output) as file:
            file.write(made.key + "\n")
        shown: dict[str, object] = {"id": made.id, "output": str(output)}
        screen.data(shown) if screen.json else screen.say(f"{made.id} is in {output}")
    elif screen.json:
        screen.data(made)
    else:
        screen.note(f"{made.id}: keep this key now, it is not shown again")
        screen.say(made.key)
