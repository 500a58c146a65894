"""`strongroom fields`: the field types there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

TITLES = ("name", "class", "sample", "masked", "found by value", "check digit", "shaped", "options")


@click.command(short_help="List the field types.")
@online
def fields(screen: Screen, client: Client, /) -> None:
    """List the field types: their class (JR/T 0171-2020), a made-up sample, its mask, and what they allow."""
    types = client.fields()
    if screen.json:
        screen.data(types)
        return
    screen.table(TITLES, [
        (f.name, f.classification, f.sample, f.masked, f.lookup, f.check_digit, f.shapable, f.options or None)
        for f in types.fields
    ])  # fmt: skip
    screen.note("never stored: " + ", ".join(types.never_stored))
