"""What a database holds, read without the code that backs it up; and a restore's bare loading."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from vault.store.database import Database
from vault.store.loading import Loader
from vault.store.snapshots import Snapshot, State, prepare
from vault.store.streams import AT_HOME, LEFT, STREAMS, TOKEN_INDEX, Block, Stream
from vault.store.tables import metadata

Contents = dict[str, dict[tuple[Any, ...], dict[str, Any]]]  # rows by primary key, by table


def contents(database: Database) -> Contents:
    """Return the rows of every table that travels, as they should arrive."""
    with database.read() as connection:
        found = {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in metadata.tables.items()
            if name not in AT_HOME
        }
    for row in found["token"]:
        if row["sealed"] is not None:
            row.update(dict.fromkeys(TOKEN_INDEX))
    return {name: {_key(name, row): row for row in rows} for name, rows in found.items()}


def of(blocks: Sequence[Block]) -> Contents:
    """Return the rows of blocks, each of which comes once."""
    made: Contents = {name: {} for name in metadata.tables if name not in AT_HOME}
    for block in blocks:
        for values in block.rows:
            row = dict(zip(block.columns, values, strict=True))
            assert _key(block.table, row) not in made[block.table]
            made[block.table][_key(block.table, row)] = row
    return made


def require_same(found: Contents, expected: Contents, *, exact: bool) -> None:
    """Fail unless the tables are equal; without `exact`, those may have more of which nobody knows what was deleted."""
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        held = found[table]
        if table in LEFT and not exact:
            held = {key: row for key, row in held.items() if key in rows}
        assert held == rows, table


@dataclass(frozen=True, slots=True)
class Taken:
    """One backup of both streams, and what another one that builds on it must know."""

    full: bool
    until: int
    sizes: Mapping[tuple[int, int], int]
    blocks: Mapping[Stream, list[Block]]
    all: Contents  # of the same state


def take(database: Database, base: Taken | None = None) -> Taken:
    """Back a database up."""
    prepare(database)
    with Snapshot(database) as snapshot:
        return read(snapshot, base)


def read(state: State, base: Taken | None = None) -> Taken:
    """Read what a backup takes, and all there is."""
    since, sizes = (-1, {}) if base is None else (base.until, base.sizes)
    everything = [block for stream in STREAMS for block in state.blocks(stream, -1, {})]
    blocks = {stream: list(state.blocks(stream, since, sizes)) for stream in STREAMS}
    return Taken(base is None, state.until, state.sizes(), blocks, of(everything))


def load(loader: Loader, chain: Sequence[Taken]) -> None:
    """Load a chain as a restore does."""
    for stream in STREAMS:
        for taken in chain:
            loader.layer(full=taken.full)
            for block in taken.blocks[stream]:
                loader.put(loader.alive(block))
        loader.replay()


def restore(url: str, chain: Sequence[Taken]) -> None:
    """Load a chain into an empty database."""
    with Loader(url, time.time, time.monotonic) as loader:
        load(loader, chain)
        loader.finish()


def _key(table: str, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in metadata.tables[table].primary_key)
