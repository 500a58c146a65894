"""Rows of a restore that the keyring says are gone: tokens with a tombstone, persons and passwords that departed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from vault.store.departures import KINDS, NAMED, Kind
from vault.store.dialect import Dialect, Row
from vault.store.streams import Block
from vault.store.tables import departure, tombstone

_PLACE = ("bucket", "tenant", "token")
_DEPARTED = (
    "DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM departure d WHERE d.bucket = {table}.bucket "
    "AND d.tenant = {table}.tenant AND d.kind = {kind} AND d.id = {table}.{name} AND d.at >= {table}.created_at)"
)
_ERASED = (  # by a release that remembered no departures; who came again since has another key
    "DELETE FROM subject WHERE EXISTS (SELECT 1 FROM erasure e WHERE e.bucket = subject.bucket "
    "AND e.tenant = subject.tenant AND e.subject = subject.digest AND e.key = subject.key)"
)
_BURIED = "DELETE FROM token WHERE (bucket, tenant, token) IN (SELECT bucket, tenant, token FROM tombstone)"
_FOUND = "DELETE FROM index_entry WHERE (token_bucket, tenant, token) IN (SELECT bucket, tenant, token FROM tombstone)"


def alive(connection: Connection, dialect: Dialect, block: Block) -> Block:
    """Return the block without the rows that are gone."""
    if block.table == "token":
        dead = _buried(connection, dialect, block)
    elif block.table in KINDS:
        dead = _departed(connection, dialect, block, "subject" if block.table == "subject" else "password")
    else:
        return block
    if not dead:
        return block
    return Block(block.table, block.columns, [row for at, row in enumerate(block.rows) if at not in dead])


def replay(connection: Connection) -> dict[str, int]:
    """Delete what is gone, tokens with their index entries; return how many rows of each table."""
    found: dict[str, int] = {
        kind: _run(connection, _DEPARTED.format(table=kind, kind=number, name=NAMED[kind]))
        for kind, number in KINDS.items()
    }
    found["subject"] += _run(connection, _ERASED)
    buried = _run(connection, _BURIED)
    if buried:
        _run(connection, _FOUND)
    return {**found, "token": buried}


def _run(connection: Connection, statement: str) -> int:
    return connection.exec_driver_sql(statement).rowcount


def _buried(connection: Connection, dialect: Dialect, block: Block) -> set[int]:
    """Return which rows of a block of tokens are gone, by number."""
    if not connection.execute(select(1).select_from(tombstone).limit(1)).first():
        return set()
    place = _picker(block, *_PLACE)
    keys = [place(row) for row in block.rows]
    found = set(dialect.look_up(connection, "tombstone", _PLACE, _PLACE, keys))
    return {at for at, key in enumerate(keys) if key in found}


def _departed(connection: Connection, dialect: Dialect, block: Block, kind: Kind) -> set[int]:
    """Return which rows of a block of persons or passwords are gone, by number."""
    if not connection.execute(select(1).select_from(departure).limit(1)).first():
        return set()
    on = ("bucket", "tenant", "kind", "id")
    place = _picker(block, "bucket", "tenant", NAMED[kind], "created_at")
    rows = [place(row) for row in block.rows]
    keys = [(bucket, tenant, KINDS[kind], one) for bucket, tenant, one, _ in rows]
    left = {row[:4]: row[4] for row in dialect.look_up(connection, "departure", (*on, "at"), on, keys)}
    return {
        at for at, (key, (*_, created_at)) in enumerate(zip(keys, rows, strict=True))
        if created_at <= left.get(key, -1)
    }  # fmt: skip


def _picker(block: Block, *columns: str) -> Callable[[Sequence[Any]], Row]:
    names = list(block.columns)
    return itemgetter(*[names.index(name) for name in columns])
