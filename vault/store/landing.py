"""Where a restore writes: nothing is to be seen of it before all of it is there, whatever happens in between."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from vault.errors import DatabaseNotEmpty, StoreUnavailable
from vault.store import migrate, revision
from vault.store.database import Database, translating
from vault.store.tables import epoch, metadata

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
    database = Database(url, clock, monotonic)
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return Inside(database)
    path = Path(str(parsed.database))
    scratch = path.with_name(path.name + "-restoring")
    return Beside(database, path, scratch, Database(str(parsed.set(database=str(scratch))), clock, monotonic))


def require_empty(database: Database) -> None:
    """Return if a database has this version's schema and no rows; one without any table is given the schema.

    Raises:
        DatabaseNotEmpty: names a table that is there, or has rows.
        SchemaBehind: it is at another schema.
    """
    with database.read() as connection:
        found = revision.current(connection)
        tables = inspect(connection).get_table_names() if found is None else []
    if tables:
        raise DatabaseNotEmpty(f"the database has a table {tables[0]} that is not of strongroom")
    if found is None:
        migrate.upgrade(database)
    revision.require_head(database)
    with database.read() as connection:
        require_no_rows(connection)


def require_no_rows(connection: Connection) -> None:
    """Raise DatabaseNotEmpty, which names a table, if one has rows, but for the first epoch."""
    for table in metadata.sorted_tables:
        if table is not epoch and connection.execute(select(1).select_from(table).limit(1)).first():
            raise DatabaseNotEmpty(f"the database is not empty: there are rows in {table.name}")
    if connection.execute(select(func.count()).select_from(epoch)).scalar_one() > 1:
        raise DatabaseNotEmpty("the database is not new: it was used before")


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
            self.connection.exec_driver_sql("ANALYZE").close()
            self.connection.exec_driver_sql("COMMIT").close()
        self.abort()

    def abort(self) -> None:
        """Close the connection: what it did not commit never was."""
        if hasattr(self, "connection"):
            _drop(self.connection)
        self.database.close()


class Beside:
    """SQLite: a file of its own beside the one that it becomes, written without any care until it is whole."""

    def __init__(self, final: Database, path: Path, scratch: Path, database: Database) -> None:
        """Begin; see `land`."""
        self._final, self._path, self._scratch, self.database = final, path, scratch, database
        self._lock = -1
        try:
            self._claim()
            self._require_empty()
            self._sweep()
            migrate.upgrade(database)
            self.connection = database.connect()
            self._begin()
        except BaseException:
            self.abort()
            raise

    def _claim(self) -> None:
        """Keep other processes from writing into the file that will be replaced, and from restoring it, too."""
        name = self._path.with_name(self._path.name + "-writer")
        try:
            self._lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreUnavailable("another process writes into the database, or restores it") from None
        except OSError as error:
            raise StoreUnavailable(f"the database's folder cannot be written ({error.strerror})") from None

    def _require_empty(self) -> None:
        """Look into the file, if there is one; whoever else has it open would go on with it after it is replaced."""
        if self._path.exists() and self._path.stat().st_size:
            require_empty(self._final)
        self._final.close()
        for left in _beside(self._path):
            if left.exists():
                raise StoreUnavailable("another process has the database open, or left its journal behind")

    def _begin(self) -> None:
        with translating():
            for statement in (
                "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-262144", "BEGIN",
            ):  # fmt: skip
                self.connection.exec_driver_sql(statement).close()

    def finish(self) -> None:
        """Sync the file, then give it its name."""
        with translating():
            for statement in ("COMMIT", "PRAGMA synchronous=FULL", "PRAGMA journal_mode=WAL"):
                self.connection.exec_driver_sql(statement).close()
            self.connection.close()
            self.database.close()
        try:
            _sync(self._scratch)
            self._scratch.rename(self._path)
            _sync(self._path.parent)
        except OSError as error:
            raise StoreUnavailable(f"the database cannot be put in place ({error.strerror})") from None
        self.abort()

    def abort(self) -> None:
        """Remove the file."""
        if hasattr(self, "connection"):
            _drop(self.connection)
        self.database.close()
        self._final.close()
        if self._lock >= 0:
            self._sweep()
            os.close(self._lock)
            self._lock = -1

    def _sweep(self) -> None:
        for left in (
            self._scratch,
            *_beside(self._scratch),
            self._scratch.with_name(self._scratch.name + "-writer"),
        ):
            left.unlink(missing_ok=True)


def _drop(connection: Connection) -> None:
    """Close a connection with what it has not committed, in whatever state it is."""
    if not connection.closed:
        with suppress(DBAPIError):
            connection.invalidate()
        connection.close()


def _beside(path: Path) -> list[Path]:
    """Return SQLite's files beside a database."""
    return [path.with_name(path.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
