"""Rows of chunks: what is written is read, and nothing else than what tables and columns take."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenarios.campaign import rounds
from tests.vault.backup import written
from vault.backup import blocks
from vault.backup.blocks import Digester, NotRows
from vault.store import tables
from vault.store.cells import columns
from vault.store.streams import AT_HOME, ESCROW, STREAMS, TABLES, Block

KEY = bytes(range(32))
GOOD = ["bucket", "tenant", "token", "epoch"]  # of tombstone


def packed(table: Any, names: Any, rows: Any) -> bytes:
    return msgspec.msgpack.encode([(table, names, rows)])


@given(st.sampled_from(STREAMS).flatmap(written.some_blocks))
@settings(max_examples=rounds(10, 100), deadline=None)
def test_what_was_written_is_read(some: list[Block]) -> None:
    found = blocks.decode(blocks.encode(some))
    assert [(b.table, b.columns, b.rows) for b in found] == [(b.table, b.columns, b.rows) for b in some]


def test_every_table_of_the_database_travels_or_stays_at_home() -> None:
    travelling = [table for names in TABLES.values() for table in names]
    assert sorted([*travelling, *AT_HOME]) == sorted(tables.metadata.tables)


@pytest.mark.parametrize("stream", STREAMS)
def test_every_column_of_every_table_that_travels_is_carried(stream: Any) -> None:
    for block in written.rows(stream, 3):
        (found,) = blocks.decode(blocks.encode([block]))
        assert list(found.columns) == list(columns(block.table))
        assert found.rows == block.rows


def test_what_a_later_version_added_may_be_missing() -> None:
    (found,) = blocks.decode(packed("tombstone", GOOD[:3], [(1, 2, b"t")]))
    assert found.rows == [(1, 2, b"t")]


@pytest.mark.parametrize(
    "row",
    [
        (True, 2, b"t", 3),
        (1.0, 2, b"t", 3),
        (None, 2, b"t", 3),
        ("1", 2, b"t", 3),
        (1, 2**63, b"t", 3),
        (1, 2**64 - 1, b"t", 3),
        (1, 2, "t", 3),
        (1, 2, [b"t"], 3),
        (1, 2, {b"t": 1}, 3),
        (1, 2, msgspec.msgpack.Ext(1, b"t"), 3),
        (1, 2, b"t"),
        (1, 2, b"t", 3, 4),
        {"bucket": 1},
        b"row",
    ],
)
def test_a_row_of_other_values_is_refused(row: Any) -> None:
    assert blocks.decode(packed("tombstone", GOOD, [(1, 2, b"t", 3)]))
    with pytest.raises(NotRows):
        blocks.decode(packed("tombstone", GOOD, [(1, 2, b"t", 3), row]))


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("lease", ["name", "holder", "fence", "expires_at"]),  # stays at home
        ("no_table", GOOD),
        (b"tombstone", GOOD),
        ("tombstone", [*GOOD, "note"]),
        ("tombstone", [*GOOD, "epoch"]),
        ("tombstone", ["bucket", "token", "epoch"]),
        ("tombstone", []),
        ("tombstone", [1, 2, 3, 4]),
        (ESCROW, ["blob"]),
    ],
)
def test_tables_and_columns_that_do_not_travel_are_refused(table: Any, names: Any) -> None:
    with pytest.raises(NotRows):
        blocks.decode(packed(table, names, []))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x91\x93",
        blocks.encode([]) + b"\0",
        b"\x91" * 5_000,
        b"\xdd\xff\xff\xff\xff",  # an array of 2**32 - 1
        packed("tombstone", GOOD, [])[:-1] + b"\xdd\xff\xff\xff\xff",
        packed("tombstone", GOOD, [])[:-1] + b"\xc6\xff\xff\xff\xff",
    ],
)
def test_bytes_that_are_no_blocks_are_refused(data: bytes) -> None:
    with pytest.raises(NotRows):
        blocks.decode(data)


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_rubbish_is_refused_or_empty(data: bytes) -> None:
    try:
        found = blocks.decode(data)
    except NotRows:
        return
    assert found == []


@given(
    st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=5), st.none() | st.text(max_size=5))), st.data()
)
@settings(max_examples=50, deadline=None)
def test_a_digest_is_of_the_rows_however_they_are_spread(rows: list[Any], data: st.DataObject) -> None:
    whole, spread = Digester(KEY), Digester(KEY)
    whole.add(rows)
    at = 0
    while at < len(rows):
        step = data.draw(st.integers(1, len(rows) - at))
        spread.add([list(row) for row in rows[at : at + step]])
        at += step
    spread.add([])
    assert whole.hex() == spread.hex()


@pytest.mark.parametrize("count", [15, 16, 65_535, 65_536])
def test_a_digest_does_not_depend_on_how_long_the_array_was(count: int) -> None:
    rows = [(n % 7, b"x") for n in range(count)]
    whole, halves = Digester(KEY), Digester(KEY)
    whole.add(rows)
    halves.add(rows[: count // 2])
    halves.add(rows[count // 2 :])
    assert whole.hex() == halves.hex()


def test_a_digest_tells_values_order_keys_and_kinds_apart() -> None:
    columns: list[list[Any]] = [
        [(1, b"a"), (2, b"b")],
        [(2, b"b"), (1, b"a")],
        [(1, "a"), (2, b"b")],
        [(1, b"a")],
    ]
    found = set()
    for key in (KEY, KEY[::-1]):
        for rows in columns:
            digester = Digester(key)
            digester.add(rows)
            found.add(digester.hex())
    assert len(found) == 8
