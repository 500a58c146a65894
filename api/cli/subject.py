"""`strongroom subject`: a person's or company's tokens, and their erasure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen
from api.cli.stdin import confirm, lines
from api.cli.token import show

if TYPE_CHECKING:
    from strongroom_client import Client


@click.group()
def subject() -> None:
    """List or erase all that is kept of a person or company."""


@subject.command()
@online
@click.argument("subject", metavar="ID")
@click.option("--limit", type=click.IntRange(1), default=1_000, show_default=True, help="How many at most.")
def tokens(screen: Screen, client: Client, /, subject: str, limit: int) -> None:
    """List the tokens of the subject ID; "-" reads the id from standard input."""
    found = islice(client.list(subject=_id(subject), page=min(limit, 1_000)), limit)
    screen.data({"tokens": list(found)}) if screen.json else show(screen, found)


@subject.command()
@online
@click.argument("subject", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(screen: Screen, client: Client, /, subject: str, yes: bool) -> None:
    """Destroy key, tokens and index entries of the subject ID for good; "-" reads it from standard input."""
    given = _id(subject)
    confirm("Erase this subject for good? No backup brings it back.", yes)
    erasure = client.erase_subject(given)
    if screen.json:
        screen.data(erasure)
    else:
        screen.say(f"tokens erased: {erasure.tokens}, erasure {erasure.erasure}")


def _id(given: str) -> str:
    return lines("Subject")[0] if given == "-" else given
