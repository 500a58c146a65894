"""Which revision the schema of a database is at, and which one this version needs.

Apart from vault.store.migrate, so that what serves need not load alembic, which takes a sixth of a second.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect

from vault.errors import SchemaBehind
from vault.store.database import Database

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_TABLE = "alembic_version"


def require_head(database: Database) -> None:
    """Raise SchemaBehind unless the database is at this version's schema."""
    with database.read() as connection:
        found = current(connection)
    if found != head():
        raise SchemaBehind("the database is at another schema: run `strongroom db upgrade`")


def current(connection: Connection) -> str | None:
    """Return the revision that a database says it is at; None if it says nothing."""
    if not inspect(connection).has_table(_TABLE):
        return None
    revision: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {_TABLE}").scalar()
    return revision


@cache
def head() -> str:
    """Return the newest migration's revision: a file's name begins with it, and they are numbered in their order."""
    return max(path.name for path in _VERSIONS.glob("[0-9]*_*.py")).partition("_")[0]
