"""PostgreSQL's hot statements."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count, islice
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from vault.store import tables
from vault.store.dialect import COLUMNS, PIECE, Lock, Row, flat, quoted

_NAMES = {
    "SmallInteger": "smallint", "BigInteger": "bigint", "Integer": "integer", "Text": "text",
    "LargeBinary": "bytea", "Boolean": "boolean",
}  # fmt: skip
TYPES = {
    name: [_NAMES[type(column.type).__name__] for column in table.columns]
    for name, table in tables.metadata.tables.items()
}

_BY_INDEX = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("hashjoin", "mergejoin", "seqscan")
)  # until the transaction ends

_TURN = "hashtextextended('generation ' || id, 0)"  # the advisory lock of a tenant's generation

_streams = count()  # names of cursors


class PostgreSQL:
    """Read committed, several writers; bulk rows by COPY, keys by unnest."""

    lanes = 2
    snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    patience: Sequence[str] = (
        "SET LOCAL statement_timeout = 0",
        "SET LOCAL idle_in_transaction_session_timeout = '1h'",
    )
    COPY_FROM = 20  # rows from which COPY is quicker than one INSERT

    @contextmanager
    def turn(self) -> Iterator[None]:
        """PostgreSQL orders its writers itself."""
        yield

    def guard(self, connection: Connection, tenants: set[int]) -> tuple[int, dict[int, int]]:
        """Take a transaction id before the epoch is read: `vault.store.epochs` rests on that order."""
        held = self._hold(connection, tenants)
        if not held:
            connection.exec_driver_sql("SELECT pg_current_xact_id()")
        return connection.exec_driver_sql("SELECT max(id) FROM epoch").scalar_one(), held

    @staticmethod
    def _hold(connection: Connection, tenants: set[int]) -> dict[int, int]:
        """Share the tenants' rows, behind whoever waits to change one: row locks alone let sharers pass for ever."""
        if not tenants:
            return {}
        ids = ", ".join(f"({int(tenant)}::bigint)" for tenant in sorted(tenants))
        turns = f"SELECT id, pg_advisory_xact_lock_shared({_TURN}) FROM (VALUES {ids}) AS v(id) OFFSET 0"
        rows = "SELECT generation FROM tenant t WHERE t.id = w.id OFFSET 0 FOR SHARE"
        found = connection.exec_driver_sql(
            f"SELECT w.id, r.generation FROM ({turns}) AS w CROSS JOIN LATERAL ({rows}) r"
        )
        return {row[0]: row[1] for row in found}

    def exclude(self, connection: Connection, tenant: int) -> None:
        """Queue up with those who share the tenant's row: advisory locks are given in the order of asking."""
        statement = f"SELECT pg_advisory_xact_lock({_TURN}) FROM (VALUES ({int(tenant)}::bigint)) AS v(id)"
        connection.exec_driver_sql(statement)

    def insert(self, connection: Connection, table: str, rows: Sequence[Row]) -> None:
        """Insert few rows by one statement, more by COPY."""
        if not rows:
            return
        names = quoted(COLUMNS[table])
        if len(rows) < self.COPY_FROM:
            mark = f"({', '.join(['%s'] * len(COLUMNS[table]))})"
            values = ", ".join([mark] * len(rows))
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES {values}", flat(rows))
            return
        with _cursor(connection) as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            write = copy.write_row
            for row in rows:
                write(row)

    def match(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        keys: Sequence[Row], lock: Lock = "",
    ) -> list[Row]:  # fmt: skip
        """Search by index for each key, the keys given as arrays."""
        if not keys:
            return []
        where = " AND ".join(f"t.{column} = w.{column}" for column in on)
        inner = f"SELECT {', '.join(columns)} FROM {table} t WHERE t.tenant = %s AND {where}"
        return self._lateral(connection, _unnested(table, on), inner, (*_arrays(keys), tenant), lock)

    def look_up(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], keys: Sequence[Row]
    ) -> list[Row]:  # fmt: skip
        """Search by index for each key."""
        if not keys:
            return []
        where = " AND ".join(f"t.{column} = w.{column}" for column in on)
        inner = f"SELECT {', '.join(columns)} FROM {table} t WHERE {where}"
        return self._lateral(connection, _unnested(table, on), inner, _arrays(keys), "")

    @staticmethod
    def stream(connection: Connection, statement: str, *, alone: bool = False) -> Generator[list[Row]]:
        """Fetch from a cursor that the server holds; `alone`, have it send all, as fast as it is read."""
        driver: Any = connection.connection.driver_connection
        try:
            if alone and psycopg.capabilities.has_stream_chunked():  # libpq 17
                with (
                    driver.cursor() as cursor,
                    closing(cursor.stream(statement, binary=True, size=PIECE)) as rows,
                ):
                    while piece := list(islice(rows, PIECE)):
                        yield piece
                return
            with driver.cursor(name=f"stream {next(_streams)}", binary=True) as cursor:
                cursor.execute(statement)
                while piece := cursor.fetchmany(PIECE):
                    yield piece
        except psycopg.Error as error:
            raise DBAPIError("stream", None, error, hide_parameters=True) from None

    def anywhere(
        self, connection: Connection, table: str, columns: Sequence[str], tenant: int, equal: dict[str, Any]
    ) -> list[Row]:
        """Search each of the 4,096 buckets by index."""
        where = " AND ".join(f"t.{column} = %s" for column in equal)
        inner = (
            f"SELECT {', '.join(columns)} FROM {table} t WHERE t.bucket = w.n AND t.tenant = %s AND {where}"
        )
        return self._lateral(
            connection, "generate_series(0, 4095) AS w(n)", inner, (tenant, *equal.values()), ""
        )

    @staticmethod
    def _lateral(connection: Connection, outer: str, inner: str, values: Row, lock: Lock) -> list[Row]:
        """One index search for each row of `outer`: OFFSET 0 keeps the planner from turning the join round, which it
        does while it knows little of a table (measured: 441 tokens a second read, not 90,000)."""
        locked = f" FOR {lock.upper()}" if lock else ""
        statement = f"SELECT r.* FROM {outer} CROSS JOIN LATERAL ({inner} OFFSET 0{locked}) r"
        with _cursor(connection) as cursor:
            found: list[Row] = cursor.execute(statement, values).fetchall()
        return found

    def claim(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> set[Row]:
        """INSERT … ON CONFLICT DO NOTHING, in the order of the key, so that two claims never wait for each other."""
        if not rows:
            return set()
        names, ours = ", ".join(COLUMNS[table]), ", ".join(key)
        casts = ", ".join(f"%b::{kind}[]" for kind in TYPES[table])
        at = [COLUMNS[table].index(name) for name in key]
        ordered = sorted(rows, key=lambda row: [row[place] for place in at])  # one order for all: no deadlock
        statement = (
            f"INSERT INTO {table} ({names}) SELECT * FROM unnest({casts}) "
            f"ON CONFLICT ({ours}) DO NOTHING RETURNING {ours}"
        )
        with _cursor(connection) as cursor:
            return set(cursor.execute(statement, _arrays(ordered)).fetchall())

    def put(self, connection: Connection, table: str, key: Sequence[str], rows: Sequence[Row]) -> None:
        """INSERT … ON CONFLICT DO UPDATE, from arrays."""
        if not rows:
            return
        names = quoted(COLUMNS[table])
        casts = ", ".join(f"%b::{kind}[]" for kind in TYPES[table])
        sets = ", ".join(f'"{name}" = excluded."{name}"' for name in COLUMNS[table] if name not in key)
        statement = (
            f"INSERT INTO {table} ({names}) SELECT * FROM unnest({casts}) "
            f"ON CONFLICT ({quoted(key)}) DO UPDATE SET {sets}"
        )
        with _cursor(connection) as cursor:
            cursor.execute(statement, _arrays(rows))

    def delete(
        self, connection: Connection, table: str, on: Sequence[str], tenant: int, keys: Sequence[Row]
    ) -> None:
        """Delete by `executemany`, which the driver sends as one pipeline."""
        if keys:
            where = " AND ".join(f"{name} = %s" for name in on)
            statement = f"DELETE FROM {table} WHERE tenant = {int(tenant)} AND {where}"
            connection.exec_driver_sql(statement, sorted(keys))

    def change(
        self, connection: Connection, table: str, columns: Sequence[str], on: Sequence[str], tenant: int,
        rows: Sequence[Row],
    ) -> set[Row]:  # fmt: skip
        """One UPDATE from arrays, in the order of the key; by index, whatever the planner knows of the table."""
        if not rows:
            return set()
        names, width = [*columns, *on], len(columns)
        fresh = [f"n{at}" for at in range(len(names))]
        casts = ", ".join(f"%b::{TYPES[table][COLUMNS[table].index(name)]}[]" for name in names)
        sets = ", ".join(f"{name} = w.{new}" for name, new in zip(columns, fresh, strict=False))
        where = " AND ".join(f"t.{name} = w.{new}" for name, new in zip(on, fresh[width:], strict=True))
        back = ", ".join(f"w.{new}" for new in fresh[width:])
        arrays = _arrays(sorted(rows, key=lambda row: row[width:]))
        statement = (
            f"UPDATE {table} t SET {sets} FROM unnest({casts}) AS w({', '.join(fresh)}) "
            f"WHERE t.tenant = %s AND {where} RETURNING {back}"
        )
        with _cursor(connection) as cursor:
            cursor.execute(_BY_INDEX)
            return set(cursor.execute(statement, (*arrays, tenant)).fetchall())

    def checkpoint(self, connection: Connection) -> None:
        """VACUUM and the log are the server's own work."""

    def serialize(self, connection: Connection, name: str) -> None:
        """Take an advisory lock that ends with the transaction."""
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))

    def worth_retrying(self, error: BaseException) -> bool:
        """A clash, a deadlock, a failed serialization or a lock that was not to be had in time."""
        if isinstance(error, IntegrityError):
            return True
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return isinstance(error, DBAPIError) and state in {"40001", "40P01", "55P03"}


def _unnested(table: str, columns: Sequence[str]) -> str:
    """Return what gives keys as rows `w`, an array bound for each column."""
    casts = ", ".join(f"%b::{TYPES[table][COLUMNS[table].index(column)]}[]" for column in columns)
    return f"unnest({casts}) AS w({', '.join(columns)})"


def _arrays(rows: Sequence[Row]) -> Row:
    return tuple(list(column) for column in zip(*rows, strict=True))


@contextmanager
def _cursor(connection: Connection) -> Iterator[Any]:
    """Give a cursor of the driver itself, with binary arrays and results (three times the rate of text); its errors are
    raised as SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor(binary=True) as cursor:
            yield cursor
    except psycopg.IntegrityError as error:
        raise IntegrityError("bulk", None, error, hide_parameters=True) from None
    except psycopg.Error as error:
        raise DBAPIError("bulk", None, error, hide_parameters=True) from None
