"""Whether a database is as new, so that a restore may go into it."""

from __future__ import annotations

from sqlalchemy import Connection, func, inspect, select

from vault.errors import DatabaseNotEmpty
from vault.store import migrate, revision
from vault.store.database import Database
from vault.store.tables import epoch, metadata


def require_empty(database: Database) -> None:
    """Return if a database has this version's schema and no rows; one without any table is given the schema.

    Raises:
        DatabaseNotEmpty: names a table that is there, or has rows.
        SchemaBehind: it is at another schema.
    """
    if not has_schema(database):
        migrate.upgrade(database)


def has_schema(database: Database) -> bool:
    """Return whether a database without rows has this version's schema, or no table at all; raises as above."""
    with database.read() as connection:
        found = revision.current(connection)
        if found is None:
            tables = inspect(connection).get_table_names()
            if tables:
                raise DatabaseNotEmpty(f"the database has a table {tables[0]} that is not of strongroom")
            return False
    revision.require_head(database)
    with database.read() as connection:
        require_no_rows(connection)
    return True


def require_no_rows(connection: Connection) -> None:
    """Raise DatabaseNotEmpty, which names a table, if one has rows, but for the first epoch."""
    for table in metadata.sorted_tables:
        if table is not epoch and connection.execute(select(1).select_from(table).limit(1)).first():
            raise DatabaseNotEmpty(f"the database is not empty: there are rows in {table.name}")
    if connection.execute(select(func.count()).select_from(epoch)).scalar_one() > 1:
        raise DatabaseNotEmpty("the database is not new: it was used before")
