"""`strongroom db`: the schema, brought up to date or compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from api.cli.connection import as_json
from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen

if TYPE_CHECKING:
    from vault.store.database import Database


@click.group(short_help="Bring the schema up to date, or compare it.")
def db() -> None:
    """Bring the database's schema to this version, or compare it."""


@db.command()
@as_json
@click.pass_obj
def upgrade(screen: Screen) -> None:
    """Make the tables, or change them to this version's, in one transaction."""
    from vault.store import migrate, revision

    with _opened() as database:
        migrate.upgrade(database)
    now = revision.head()
    screen.data({"revision": now}) if screen.json else screen.say(f"the schema is at revision {now}")


@db.command()
@as_json
@click.pass_obj
def check(screen: Screen) -> None:
    """Compare the schema with what this version needs; exit with 1 if they differ."""
    from vault.store import migrate

    with _opened() as database:
        differences = migrate.check(database)
    if screen.json:
        screen.data({"differences": differences})
    else:
        for line in differences or ["the schema is what this version needs"]:
            screen.say(line)
        if differences:
            screen.note("hint: run `strongroom db upgrade`")
    if differences:
        sys.exit(REFUSED_ROWS)


@contextmanager
def _opened() -> Iterator[Database]:
    from api.cli import surroundings
    from api.wiring import open_database

    settings = surroundings.settings()
    file = surroundings.database_file(settings)
    if file is not None:
        surroundings.make_folder(file)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
