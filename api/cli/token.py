"""`strongroom token`: what tokens are, which there are, those of a value, and their end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen
from api.cli.stdin import arguments_or_lines, confirm, lines

if TYPE_CHECKING:
    from strongroom_client import Client, Description, ItemError

SHOWN = (
    "token", "field", "kind", "deterministic", "scope", "source", "subject", "metadata",
    "created_at", "expires_at", "tags",
)  # fmt: skip
TITLES = [name.removesuffix("_at") for name in SHOWN]


@click.group()
def token() -> None:
    """Describe, list, find and delete tokens."""


@token.command()
@online
@click.argument("tokens", metavar="TOKEN...", nargs=-1, required=True)
@click.option("--field", help="Field type; needed for shaped tokens.")
def describe(screen: Screen, client: Client, /, tokens: tuple[str, ...], field: str | None) -> None:
    """Say what TOKENs are, never their values; "-" reads them from standard input."""
    column = client.describe_column(arguments_or_lines(tokens, "Token"), field=field)
    found = [described for described in column.tokens if described is not None]
    if screen.json:
        screen.data({"tokens": column.tokens, "errors": refusals(column.errors)})
    else:
        show(screen, found)
    finish(screen, column.errors)


@token.command("list")
@online
@click.option("--field", help="Only tokens of this field type.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def list_tokens(screen: Screen, client: Client, /, field: str | None, limit: int) -> None:
    """List tokens."""
    tokens = islice(client.list(field=field, page=min(limit, 1_000)), limit)
    screen.data({"tokens": list(tokens)}) if screen.json else show(screen, tokens)


@token.command()
@online
@click.option("--field", required=True, help="Field type of the values.")
@click.option("--scope", help="Only tokens of this scope.")
def find(screen: Screen, client: Client, /, field: str, scope: str | None) -> None:
    """Find the tokens of values, which are asked for, or read from standard input, one a line."""
    values = lines("Value")
    column = client.find_column(field, values, scope=scope)
    if screen.json:
        screen.data({"matches": column.matches, "errors": refusals(column.errors)})
    else:
        for number, match in enumerate(column.matches, 1):
            for found in match or ():
                screen.say(found if len(values) == 1 else f"{number}\t{found}")
    finish(screen, column.errors)


@token.command()
@online
@click.argument("tokens", metavar="TOKEN...", nargs=-1, required=True)
@click.option("--field", help="Field type; needed for shaped tokens.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(screen: Screen, client: Client, /, tokens: tuple[str, ...], field: str | None, yes: bool) -> None:
    """Delete TOKENs and their values for good; "-" reads them from standard input."""
    given = arguments_or_lines(tokens, "Token")
    confirm(f"Delete these tokens ({len(given)}) and their values for good?", yes)
    gone = client.delete_column(given, field=field)
    if screen.json:
        screen.data({"deleted": gone.deleted, "errors": refusals(gone.errors)})
    else:
        screen.say(f"tokens deleted: {gone.deleted}")
    finish(screen, gone.errors)


def show(screen: Screen, tokens: Iterable[Description]) -> None:
    """Print descriptions, one a line."""
    told = ([getattr(token, name) for name in SHOWN] for token in tokens)
    screen.table(TITLES, (tuple(None if cell == [] else cell for cell in cells) for cells in told))


def refusals(errors: Sequence[ItemError]) -> list[dict[str, object]]:
    """Return refused items for JSON; `item` counts from 1, as lines do."""
    return [{"item": error.index + 1, "code": error.code, "detail": error.detail} for error in errors]


def finish(screen: Screen, errors: Sequence[ItemError]) -> None:
    """Tell what was refused, and exit with 1 if anything was."""
    if not errors:
        return
    if not screen.json:
        for error in errors:
            screen.note(f"item {error.index + 1}: {error.detail} ({error.code})")
    sys.exit(REFUSED_ROWS)
