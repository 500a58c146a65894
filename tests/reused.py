"""PostgreSQL databases with this version's schema that tests use one after the other, each as if it were new.

To create and to drop one takes the server half a second of processor time, and twice as long on a slow disk.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.waiting import until
from vault.store import migrate
from vault.store.database import Database
from vault.store.tables import metadata

_FULL = sql.SQL(" UNION ALL ").join(
    sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(name), sql.Identifier(name))
    for name in metadata.tables
)
_SCHEMA = """
    SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM (
        SELECT concat_ws(' ', a.attrelid::regclass, a.attname, a.atttypid, a.atttypmod, a.attnotnull) AS line
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT concat_ws(' ', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', tgrelid::regclass, pg_get_triggerdef(oid)) FROM pg_trigger
    ) AS lines
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A database as its migration left it: a digest of its schema, and its only rows, those of `epoch`."""

    name: str
    schema: str
    rows: list[bytes]


_idle: dict[str, list[Kept]] = {}  # by server


@contextmanager
def borrowed(server: str) -> Iterator[str]:
    """Give the URL of a database with this version's schema, as new, which nobody else has."""
    idle = _idle.setdefault(server, [])
    kept = idle.pop() if idle else _made(server)
    try:
        yield at(server, kept.name)
    finally:
        if _cleaned(server, kept):
            idle.append(kept)
        else:
            drop(server, kept.name)


def forget(server: str) -> None:
    """Drop what is left on a server that stays."""
    for kept in _idle.pop(server, []):
        drop(server, kept.name)


def create(server: str) -> str:
    """Make an empty database; return its name."""
    name = f"strongroom_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return name


def drop(server: str, name: str) -> None:
    """Drop a database, whoever is connected."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def at(server: str, name: str) -> str:
    """Return the URL of a server's database."""
    return server.replace("/postgres?", f"/{name}?")


def _made(server: str) -> Kept:
    name = create(server)
    database = Database(at(server, name), time.time, time.monotonic)
    migrate.upgrade(database)
    database.close()
    with psycopg.connect(at(server, name), autocommit=True) as connection:
        assert full(connection) == ["epoch"]
        with connection.cursor().copy("COPY epoch TO STDOUT") as copy:
            rows = [bytes(row) for row in copy]
        return Kept(name, _schema(connection), rows)


def _cleaned(server: str, kept: Kept) -> bool:
    """Make a database as new, whatever was done to its rows; return False if its schema is another one now."""
    with psycopg.connect(server, autocommit=True) as connection:
        until(lambda: not _others(connection, kept.name))
    with psycopg.connect(at(server, kept.name)) as connection:
        if _schema(connection) != kept.schema:
            return False
        names = {*full(connection), "epoch"}
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
        with connection.cursor().copy("COPY epoch FROM STDIN") as copy:
            for row in kept.rows:
                copy.write(row)
        connection.execute("SELECT pg_stat_reset()")
    return True


def _others(connection: psycopg.Connection, name: str) -> int:
    """Send away whoever is connected to a database; return how many there still were."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    ((count,),) = connection.execute(query, (name,)).fetchall()
    return int(count)


def full(connection: psycopg.Connection) -> list[str]:
    """Return the tables that have rows."""
    return [str(name) for (name,) in connection.execute(_FULL).fetchall()]


def _schema(connection: psycopg.Connection) -> str:
    ((digest,),) = connection.execute(_SCHEMA).fetchall()
    return str(digest)
