"""SQLite's hot statements and its queue of writers."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from vault.store.dialect import COLUMNS, PIECE, Lock, Row, flat, quoted


class SQLite:
    """WAL with one writer; processes queue on a file lock, which is fair and quick, before BEGIN IMMEDIATE."""

    lanes = 1
    snapshot = "BEGIN"
    patience: Sequence[str] = ()
    CHUNK = 8_000  # values bound in one statement

    def __init__(self, path: Path) -> None:
        self._lock = path.with_name(path.name + "-writer")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the other processes' commits."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        """Nothing changes before the commit: BEGIN IMMEDIATE has the only write lock."""
        epoch = connection.exec_driver_sql("SELECT max(id) FROM epoch").scalar_one()
        return epoch, _generations(connection, tenants)

    def exclude(self, connection: Connection, tenant: int) -> None:
        """BEGIN IMMEDIATE has done it."""

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        """Insert rows by `executemany`."""
        self._insert(connection, "INSERT", table, rows)

    def put(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> None:
        """INSERT OR REPLACE by `executemany`."""
        self._insert(connection, "INSERT OR REPLACE", table, rows)

    @staticmethod
    def _insert(connection: Connection, verb: str, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        columns = COLUMNS[table]
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{verb} INTO {table} ({quoted(columns)}) VALUES ({marks})", list(rows))

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: Lock = "",
    ) -> list[Row]:  # fmt: skip
        """Join with the keys as VALUES, 8,000 bound values a statement; `lock` is what BEGIN IMMEDIATE did."""
        where = " AND ".join(f"t.{column} = w.column{at + 1}" for at, column in enumerate(on))
        mine = f"t.tenant = {int(tenant)} AND {where}"
        return self._join(connection, table, columns, mine, len(on), keys)

    def _join(
        self, connection: Connection, table: str, columns: Sequence[str], where: str, width: int, keys: Sequence[Row]
    ) -> list[Row]:  # fmt: skip
        names, mark = ", ".join(f"t.{column}" for column in columns), f"({', '.join('?' * width)})"
        found: list[Row] = []
        for part in _chunks(keys, self.CHUNK // width):
            values = ", ".join([mark] * len(part))
            statement = f"SELECT {names} FROM (VALUES {values}) w CROSS JOIN {table} t WHERE {where}"
            found += _read(connection, statement, flat(part))
        return found

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        """Search each of the 4,096 buckets by index."""
        names = ", ".join(f"t.{column}" for column in columns)
        where = " AND ".join(f"t.{column} = ?" for column in equal)
        statement = (
            "WITH RECURSIVE w(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM w WHERE n < 4095) "
            f"SELECT {names} FROM w CROSS JOIN {table} t WHERE t.bucket = w.n AND t.tenant = ? AND {where}"
        )
        return connection.exec_driver_sql(statement, (tenant, *equal.values())).fetchall()  # type: ignore[return-value]

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        """Look, then insert: nobody else writes in between."""
        at = [COLUMNS[table].index(name) for name in key]
        keys = [tuple(row[place] for place in at) for row in rows]
        known = set(self.look_up(connection, table, key, key, keys))
        fresh = {mine: row for mine, row in zip(keys, rows, strict=True) if mine not in known}
        if fresh:
            self.insert(connection, table, list(fresh.values()))
        return set(fresh)

    def look_up(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], keys: Sequence[Row]
    ) -> list[Row]:  # fmt: skip
        """Join with the keys as VALUES."""
        where = " AND ".join(f"t.{name} = w.column{at + 1}" for at, name in enumerate(on))
        return self._join(connection, table, columns, where, len(on), keys)

    @staticmethod
    def stream(connection: Connection, statement: str, *, alone: bool = False) -> Generator[list[Row]]:
        """Step through the query."""
        driver: Any = connection.connection.driver_connection
        try:
            with closing(driver.execute(statement)) as cursor:
                while piece := cursor.fetchmany(PIECE):
                    yield piece
        except sqlite3.Error as error:
            raise DBAPIError("stream", None, error, hide_parameters=True) from None

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        """Delete by `executemany`."""
        if keys:
            where = " AND ".join(f"{name} = ?" for name in on)
            statement = f"DELETE FROM {table} WHERE tenant = {int(tenant)} AND {where}"
            connection.exec_driver_sql(statement, list(keys))

    def change(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        rows: Sequence[Row],
    ) -> set[Row]:  # fmt: skip
        """Look, then update by `executemany`: nobody else writes in between."""
        width = len(columns)
        there = set(self.match(connection, table, on, on, tenant, [row[width:] for row in rows]))
        kept = [row for row in rows if row[width:] in there]
        if kept:
            sets = ", ".join(f"{name} = ?" for name in columns)
            where = " AND ".join(f"{name} = ?" for name in on)
            statement = f"UPDATE {table} SET {sets} WHERE tenant = {int(tenant)} AND {where}"
            connection.exec_driver_sql(statement, kept)
        return there

    def checkpoint(self, connection: Connection) -> None:
        """Empty the write-ahead log, unless a reader needs it for longer than a second: then the next call does."""
        with self.turn():
            (before,) = connection.exec_driver_sql("PRAGMA busy_timeout").one()
            connection.exec_driver_sql("PRAGMA busy_timeout=1000").close()
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(before)}").close()

    def serialize(self, connection: Connection, name: str) -> None:
        """BEGIN IMMEDIATE has done it."""

    def worth_retrying(self, error: BaseException) -> bool:
        """Two requests of one group claimed the same thing: apart, the second sees the first."""
        return isinstance(error, IntegrityError)


def _generations(connection: Connection, tenants: set[int]) -> dict[int, int]:
    if not tenants:
        return {}
    ids = ", ".join(str(int(tenant)) for tenant in tenants)
    found = connection.exec_driver_sql(f"SELECT id, generation FROM tenant WHERE id IN ({ids})")
    return {row[0]: row[1] for row in found}


def _read(connection: Connection, statement: str, values: Row) -> list[Row]:
    """Return rows as the driver makes them, bare tuples; its errors are raised as SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    try:
        found: list[Row] = driver.execute(statement, values).fetchall()
    except sqlite3.Error as error:
        raise DBAPIError("match", None, error, hide_parameters=True) from None
    return found


def _chunks(keys: Sequence[Row], size: int) -> Iterable[Sequence[Row]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))
