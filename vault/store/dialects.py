"""What differs between SQLite and PostgreSQL on the hot path: bulk statements, locks, lanes; all else is SQLAlchemy Core."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from vault.store import tables

Row = tuple[Any, ...]
_PG = {"SmallInteger": "smallint", "BigInteger": "bigint", "Integer": "integer", "Text": "text",
       "LargeBinary": "bytea", "Boolean": "boolean"}  # fmt: skip
_TYPES = {
    name: [_PG[type(column.type).__name__] for column in table.columns]
    for name, table in tables.metadata.tables.items()
}
_COLUMNS = {name: [column.name for column in table.columns] for name, table in tables.metadata.tables.items()}


class Dialect(Protocol):
    """The hot statements of one kind of database."""

    lanes: int  # write transactions at once in one process

    def turn(self) -> Any:
        """Give a context in which this process may write."""
        ...

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        """Return the current epoch, and the key generation of each tenant, which may not change before the commit."""
        ...

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        """Insert whole rows in the order of the table's columns; a clash raises IntegrityError."""
        ...

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: bool = False,
    ) -> list[Row]:  # fmt: skip
        """Return `columns` of the rows of `table` whose `on` columns equal one of `keys`, in any order."""
        ...

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        """Return `columns` of the tenant's rows with these values, whichever bucket they lie in."""
        ...

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        """Insert whole rows whose `key` is not there yet; return the keys of those inserted."""
        ...

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        """Delete the tenant's rows of `table` whose `on` columns equal one of `keys`."""
        ...

    def serialize(self, connection: Connection, name: str) -> None:
        """Let one transaction at a time past this point, until it ends."""
        ...

    def worth_retrying(self, error: BaseException) -> bool:
        """Whether the same work may succeed when tried again."""
        ...


class SQLite:
    """WAL with one writer; processes queue on a file lock, which is fair and quick, before BEGIN IMMEDIATE."""

    lanes = 1
    CHUNK = 8_000  # values bound in one statement

    def __init__(self, path: Path) -> None:
        self._lock = path.with_name(path.name + "-writer")

    @contextmanager
    def turn(self) -> Iterator[None]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        epoch = connection.exec_driver_sql("SELECT max(id) FROM epoch").scalar_one()
        return epoch, _generations(connection, tenants, "")

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        columns = _COLUMNS[table]
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(rows))

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: bool = False,
    ) -> list[Row]:  # fmt: skip
        names = ", ".join(f"t.{column}" for column in columns)
        where = " AND ".join(f"t.{column} = w.column{at + 1}" for at, column in enumerate(on))
        mark = f"({', '.join('?' * len(on))})"
        found: list[Row] = []
        for part in _chunks(keys, self.CHUNK // len(on)):
            values = ", ".join([mark] * len(part))
            statement = f"SELECT {names} FROM (VALUES {values}) w CROSS JOIN {table} t WHERE t.tenant = {int(tenant)} AND {where}"
            found += connection.exec_driver_sql(statement, _flat(part)).fetchall()
        return found

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        names = ", ".join(f"t.{column}" for column in columns)
        where = " AND ".join(f"t.{column} = ?" for column in equal)
        statement = (
            "WITH RECURSIVE w(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM w WHERE n < 4095) "
            f"SELECT {names} FROM w CROSS JOIN {table} t WHERE t.bucket = w.n AND t.tenant = ? AND {where}"
        )
        return connection.exec_driver_sql(statement, (tenant, *equal.values())).fetchall()  # type: ignore[return-value]

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        at = [_COLUMNS[table].index(name) for name in key]
        keys = [tuple(row[place] for place in at) for row in rows]
        known = set(self._known(connection, table, key, keys))
        fresh = {mine: row for mine, row in zip(keys, rows, strict=True) if mine not in known}
        if fresh:
            self.insert(connection, table, list(fresh.values()))
        return set(fresh)

    def _known(
        self, connection: Connection, table: str, key: Sequence[str], keys: Sequence[Row]
    ) -> list[Row]:
        found: list[Any] = []
        mark = f"({', '.join('?' * len(key))})"
        where = " AND ".join(f"t.{name} = w.column{at + 1}" for at, name in enumerate(key))
        for part in _chunks(keys, self.CHUNK // len(key)):
            names, values = ", ".join(f"t.{name}" for name in key), ", ".join([mark] * len(part))
            statement = f"SELECT {names} FROM (VALUES {values}) w CROSS JOIN {table} t WHERE {where}"
            found += connection.exec_driver_sql(statement, _flat(part)).fetchall()
        return [tuple(row) for row in found]

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        if keys:
            where = " AND ".join(f"{name} = ?" for name in on)
            statement = f"DELETE FROM {table} WHERE tenant = {int(tenant)} AND {where}"
            connection.exec_driver_sql(statement, list(keys))

    def serialize(self, connection: Connection, name: str) -> None:
        """BEGIN IMMEDIATE has done it."""

    def worth_retrying(self, error: BaseException) -> bool:
        return isinstance(error, IntegrityError)


class PostgreSQL:
    """Read committed, several writers; bulk rows by COPY, keys by unnest."""

    lanes = 4
    COPY_FROM = 20  # rows from which COPY is quicker than one INSERT

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        """Take a transaction id before the epoch is read: `vault.store.epochs` rests on that order."""
        generations = _generations(connection, tenants, " FOR SHARE")
        if not generations:
            connection.exec_driver_sql("SELECT pg_current_xact_id()")
        return connection.exec_driver_sql("SELECT max(id) FROM epoch").scalar_one(), generations

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        names = ", ".join(_COLUMNS[table])
        if len(rows) < self.COPY_FROM:
            mark = f"({', '.join(['%s'] * len(_COLUMNS[table]))})"
            values = ", ".join([mark] * len(rows))
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES {values}", _flat(rows))
            return
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                write = copy.write_row
                for row in rows:
                    write(row)
        except psycopg.IntegrityError as error:
            raise IntegrityError("COPY", None, error, hide_parameters=True) from None
        except psycopg.Error as error:
            raise DBAPIError("COPY", None, error, hide_parameters=True) from None

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: bool = False,
    ) -> list[Row]:  # fmt: skip
        if not keys:
            return []
        casts = ", ".join(f"%s::{_TYPES[table][_COLUMNS[table].index(column)]}[]" for column in on)
        where = " AND ".join(f"t.{column} = w.{column}" for column in on)
        inner = f"SELECT {', '.join(columns)} FROM {table} t WHERE t.tenant = %s AND {where}"
        arrays = tuple(list(column) for column in zip(*keys, strict=True))
        return self._lateral(
            connection, f"unnest({casts}) AS w({', '.join(on)})", inner, (*arrays, tenant), lock
        )

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        where = " AND ".join(f"t.{column} = %s" for column in equal)
        inner = (
            f"SELECT {', '.join(columns)} FROM {table} t WHERE t.bucket = w.n AND t.tenant = %s AND {where}"
        )
        return self._lateral(
            connection, "generate_series(0, 4095) AS w(n)", inner, (tenant, *equal.values()), False
        )

    @staticmethod
    def _lateral(connection: Connection, outer: str, inner: str, values: Row, lock: bool) -> list[Row]:
        """One index search for each row of `outer`: OFFSET 0 keeps the planner from turning the join round, which it
        does while it knows little of a table (measured: 441 tokens a second read, not 90,000)."""
        share = " FOR SHARE" if lock else ""
        statement = f"SELECT r.* FROM {outer} CROSS JOIN LATERAL ({inner} OFFSET 0{share}) r"
        return connection.exec_driver_sql(statement, values).fetchall()  # type: ignore[return-value]

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        if not rows:
            return set()
        names, ours = ", ".join(_COLUMNS[table]), ", ".join(key)
        casts = ", ".join(f"%s::{kind}[]" for kind in _TYPES[table])
        at = [_COLUMNS[table].index(name) for name in key]
        ordered = sorted(rows, key=lambda row: [row[place] for place in at])  # one order for all: no deadlock
        statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({casts}) ON CONFLICT ({ours}) DO NOTHING RETURNING {ours}"
        arrays = tuple(list(column) for column in zip(*ordered, strict=True))
        return {tuple(row) for row in connection.exec_driver_sql(statement, arrays)}

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        if keys:
            where = " AND ".join(f"{name} = %s" for name in on)
            statement = f"DELETE FROM {table} WHERE tenant = {int(tenant)} AND {where}"
            connection.exec_driver_sql(statement, sorted(keys))

    def serialize(self, connection: Connection, name: str) -> None:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))

    def worth_retrying(self, error: BaseException) -> bool:
        if isinstance(error, IntegrityError):
            return True
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return isinstance(error, DBAPIError) and state in {"40001", "40P01", "55P03"}


def _generations(connection: Connection, tenants: set[int], lock: str) -> dict[int, int]:
    if not tenants:
        return {}
    ids = ", ".join(str(int(tenant)) for tenant in sorted(tenants))
    found = connection.exec_driver_sql(
        f"SELECT id, generation FROM tenant WHERE id IN ({ids}) ORDER BY id{lock}"
    )
    return {row[0]: row[1] for row in found}


def _chunks(keys: Sequence[Row], size: int) -> Iterable[Sequence[Row]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))


def _flat(rows: Sequence[Row]) -> Row:
    return tuple(value for row in rows for value in row)
