"""Where a restore writes: nothing is to be seen of it before all of it is there, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from vault.store.database import Database, drop
from vault.store.empty import require_empty, require_no_rows
from vault.store.failures import translating
from vault.store.scratch import Scratch
from vault.store.tables import metadata

Clock = Callable[[], float]


class Landing(Protocol):
    """An open transaction on an empty database with this version's schema."""

    database: Database
    connection: Connection

    def finish(self) -> None:
        """Let all be seen and be durable; raises StoreUnavailable, and nothing is there."""
        ...

    def abort(self) -> None:
        """Leave nothing; twice, and after `finish`, it does nothing."""
        ...


def land(url: str, clock: Clock, monotonic: Clock) -> Landing:
    """Return where a restore into the database at `url` writes.

    Raises:
        DatabaseNotEmpty: there is something in it.
        SchemaBehind: it is at another schema.
        StoreUnavailable: it does not answer, or somebody uses it.
        InvalidRequest: `url` names no database.
    """
    if make_url(url).get_backend_name() == "sqlite":
        return Scratch(url, clock, monotonic)
    return Inside(Database(url, clock, monotonic))


class Inside:
    """PostgreSQL: one transaction, which keeps everybody else out of the tables."""

    def __init__(self, database: Database) -> None:
        """Begin; see `land`."""
        self.database = database
        try:
            require_empty(database)
            self.connection = database.connect()
            self._begin()
        except BaseException:
            self.abort()
            raise

    def _begin(self) -> None:
        with translating():
            for statement in ("BEGIN", *self.database.dialect.patience):
                self.connection.exec_driver_sql(statement).close()
            self.connection.exec_driver_sql(f"LOCK TABLE {', '.join(metadata.tables)}").close()
            require_no_rows(self.connection)

    def finish(self) -> None:
        """Commit."""
        with translating():
            self.connection.exec_driver_sql(f"ANALYZE {', '.join(metadata.tables)}").close()
            self.connection.exec_driver_sql("COMMIT").close()
        self.abort()

    def abort(self) -> None:
        """Close the connection: what it did not commit never was."""
        if hasattr(self, "connection"):
            drop(self.connection)
        self.database.close()
