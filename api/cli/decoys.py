"""`strongroom decoys`: tokens that look like any other, and raise an alarm when somebody uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen
from api.cli.stdin import lines
from api.cli.token import finish, refusals

if TYPE_CHECKING:
    from strongroom_client import Client, TokenOptions


@click.group(short_help="Make tokens that give a thief away.")
def decoys() -> None:
    """Make tokens that nobody has a reason to use, to be left where a thief would look."""


@decoys.command()
@online
@click.argument("field", metavar="FIELD")
@click.option(
    "--count", type=click.IntRange(1, 100), default=1, show_default=True, help="How many made-up values."
)
@click.option("--given", is_flag=True, help="Read the values from standard input instead, one a line.")
@click.option("--shaped", is_flag=True, help="Tokens that keep the value's shape.")
@click.option("--source", help="The channel or partner that the values seem to come from.")
@click.option("--tag", "tags", multiple=True, help="A word that the policy may ask for. Repeatable.")
def make(
    screen: Screen, client: Client, /, *, field: str, count: int, given: bool, shaped: bool, source: str | None,
    tags: tuple[str, ...],
) -> None:  # fmt: skip
    """Make decoys of the field type FIELD and print their tokens; nothing tells later which they are."""
    values = [line for line in lines("Value") if line] if given else None
    options: TokenOptions = {"kind": "shaped" if shaped else "opaque", "source": source}
    if tags:
        options["tags"] = list(tags)
    made = client.make_decoys(field, count, values=values, **options)
    if screen.json:
        screen.data({"tokens": made.tokens, "errors": refusals(made.errors)})
    else:
        for token in made.tokens:
            if token is not None:
                screen.say(token)
    finish(screen, made.errors)
