"""A database that a drill borrows: seen to be empty before, and emptied of our own tables after."""

from __future__ import annotations

from sqlalchemy import inspect, text

from vault.errors import DatabaseNotEmpty
from vault.store.database import Database
from vault.store.tables import metadata

REVISIONS = "alembic_version"  # where migrations note how far they came


def require_empty(database: Database) -> None:
    """Raise DatabaseNotEmpty if it has a table, whosever."""
    with database.read() as connection:
        if inspect(connection).get_table_names():
            raise DatabaseNotEmpty("the scratch database has tables: a drill takes an empty one alone")


def empty(database: Database) -> None:
    """Drop our tables, and no others."""
    with database.engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(text(f"DROP TABLE IF EXISTS {REVISIONS}"))
