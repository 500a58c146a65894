"""One state of a database, read while others write: which rows come, in which order and form, how they are found."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from threading import Event
from typing import cast

import pytest
from sqlalchemy import select

from tests.vault.audit.sealed import sealer
from tests.vault.conftest import MOSTLY_SQLITE, ON_SQLITE, Shop
from tests.vault.store.busy import Busy
from tests.vault.store.carried import contents, of, read, require_same, take
from vault.columns import Column, Spec
from vault.errors import StoreUnavailable
from vault.store import auditlog, epochs, revision
from vault.store.database import Database
from vault.store.dialect import COLUMNS
from vault.store.extracts import Extracts, by_epoch
from vault.store.snapshots import BYTES, ROWS, Snapshot, prepare
from vault.store.streams import AT_HOME, STREAMS, TABLES, TOKEN_INDEX, Block
from vault.store.tables import audit_log, metadata, token
from vault.store.writer import Transaction


@pytest.fixture
def busy(shop: Shop) -> Busy:
    """A shop in which everything happened once."""
    made = Busy(shop, 1)
    made.everything()
    return made


def test_every_table_travels_or_stays_and_none_does_both() -> None:
    named = [*AT_HOME, *(table for stream in STREAMS for table in TABLES[stream])]
    assert sorted(named) == sorted(metadata.tables)


def test_all_rows_come_once_as_plain_values(busy: Busy) -> None:
    with Snapshot(busy.shop.resources.database) as snapshot:
        blocks = [block for stream in STREAMS for block in snapshot.blocks(stream, -1, {})]
        counts = {table: count for stream in STREAMS for table, count in snapshot.counts(stream).items()}
        assert snapshot.schema == revision.head()
    require_same(of(blocks), contents(busy.shop.resources.database), exact=True)
    assert counts == {table: len(rows) for table, rows in of(blocks).items()}
    assert [table for table, count in counts.items() if not count] == []  # or this test would see too little
    values = [value for block in blocks for row in block.rows for value in row]
    assert {type(value) for value in values} == {int, str, bytes, type(None)}
    assert {type(row) for block in blocks for row in block.rows} == {tuple}


def test_rows_come_in_the_order_of_the_primary_key(shop: Shop) -> None:
    for name in ("b", "é", "B", "a", "ü", "-"):
        shop.vault.create_api_key(shop.actor, name, ["reveal"])
        shop.tokenize("email", *[f"{at}@example.com" for at in range(40)])

    def work(transaction: Transaction) -> None:
        rows = [
            (f"wh_{name}", None, "x", "{}", "c", "r", 1, None, None)
            for name in ("é", "b", "B", "a", "ü", "-")
        ]
        transaction.append("alarm", rows)

    shop.resources.database.write(work)
    with Snapshot(shop.resources.database) as snapshot:
        found = of(list(snapshot.blocks("data", -1, {})))
    for table in ("api_key", "alarm", "token"):
        keys = list(found[table])
        assert keys == sorted(keys)
        assert len(keys) > 5


@ON_SQLITE
def test_where_an_index_entry_lies_is_left_out_unless_there_is_no_value(busy: Busy) -> None:
    with Snapshot(busy.shop.resources.database) as snapshot:
        found = of(list(snapshot.blocks("data", -1, {})))["token"].values()
    assert {row["kind"] for row in found} == {1, 2, 3}
    for row in found:
        hidden = [row[name] is None for name in TOKEN_INDEX]
        assert hidden == ([False, False] if row["kind"] == 3 else [True, True])


def large(shop: Shop, count: int, size: int) -> None:
    def work(transaction: Transaction) -> None:
        row = dict.fromkeys(COLUMNS["token"])
        row |= {"tenant": 1, "field": "f", "kind": 1, "deterministic": False, "scope": "", "created_at": 1}
        rows = [
            {**row, "bucket": at % 4_096, "token": b"t%d" % at, "sealed": bytes(size)} for at in range(count)
        ]
        transaction.append("token", [tuple(one[name] for name in COLUMNS["token"][:-1]) for one in rows])

    shop.resources.database.write(work)


def blocks_of(shop: Shop, table: str) -> list[Block]:
    with Snapshot(shop.resources.database) as snapshot:
        return [block for block in snapshot.blocks("data", -1, {}) if block.table == table]


@ON_SQLITE
def test_a_block_is_cut_by_rows_and_by_bytes(shop: Shop) -> None:
    large(shop, ROWS + 10, 10)
    assert [len(block.rows) for block in blocks_of(shop, "token")] == [ROWS, 10]
    large_ones = ROWS + 10

    def work(transaction: Transaction) -> None:
        column = bytes(BYTES // 100)
        transaction.connection.execute(token.update().where(token.c.bucket < 250).values(sealed=column))

    shop.resources.database.write(work)
    found = blocks_of(shop, "token")
    assert sum(len(block.rows) for block in found) == large_ones
    sizes = [sum(len(row[COLUMNS["token"].index("sealed")]) for row in block.rows) for block in found]
    assert max(sizes) <= BYTES
    assert all(one + other > BYTES // 4 for one, other in pairwise(sizes))  # and none is cut without need


def test_what_is_committed_meanwhile_is_not_seen(busy: Busy) -> None:
    database = busy.shop.resources.database
    with Snapshot(database) as snapshot:
        before = contents(database)
        for thing in (busy.store_for_people, busy.delete, busy.make_key, busy.seal):
            thing()
        assert contents(database) != before
        require_same(read(snapshot).all, before, exact=True)


def test_nothing_ends_a_snapshot_but_itself(shop: Shop) -> None:
    """The limits of a session, a minute, are lifted; and a snapshot left by an error leaves nothing open."""
    database = shop.resources.database
    large(shop, 1_000, 10)
    with suppress(ZeroDivisionError), Snapshot(database) as snapshot:
        halfway = cast("Generator[Block]", snapshot.blocks("data", -1, {}))
        next(halfway)
        if database.dialect.lanes > 1:
            limit = snapshot._connection.exec_driver_sql("SHOW statement_timeout").scalar()
            assert limit == "0"
        raise ZeroDivisionError
    assert database.engine.pool.checkedout() <= 1  # this thread's own
    others = [database.connect() for _ in range(2)]  # one of which was the snapshot's
    for connection in others:
        connection.exec_driver_sql("BEGIN").close()
    halfway.close()  # what was left halfway is over, and disturbs nobody
    for connection in others:
        assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
        connection.exec_driver_sql("ROLLBACK").close()
        connection.close()


def plan(database: Database, query: str) -> str:
    with database.read() as connection:
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {query}"))


def test_a_small_increment_is_found_by_its_index(shop: Shop) -> None:
    database = shop.resources.database
    large(shop, 3_000, 10)
    epochs.advance(database)
    extracts = Extracts(database.dialect.lanes > 1)
    if database.dialect.lanes > 1:
        with database.read() as connection:
            connection.exec_driver_sql("ANALYZE")
    indexed = [table for stream in STREAMS for table in TABLES[stream] if by_epoch(metadata.tables[table])]
    assert {"token", "subject", "password", "tombstone", "departure", "erasure", "audit_checkpoint"} == {
        *indexed
    }
    assert "ix_token_epoch" in plan(database, extracts.since("token", 1))
    if database.dialect.lanes == 1:  # PostgreSQL knows that the others are empty, and reads all of nothing
        for table in indexed:
            assert f"INDEX ix_{table}_epoch (epoch>?)" in plan(database, extracts.since(table, 1))


@MOSTLY_SQLITE
def test_versions_are_counted_by_what_needs_them(shop: Shop) -> None:
    shop.tokenize("email", *[f"{at}@example.com" for at in range(5)])
    shop.tokenize("email", "b@example.com", "c@example.com", subjects=["ann", "bob"])
    one_way = Column("email", ["d@example.com", "e@example.com", "f@example.com"], Spec("one_way"))
    shop.vault.tokenize(shop.actor, [one_way])
    keys = {one.purpose: one.versions[0].id for one in shop.vault.keysets(shop.actor)}
    with Snapshot(shop.resources.database) as snapshot:
        assert snapshot.keys() == dict(sorted({keys["seal"]: 5 + 2, keys["index"]: 3}.items()))


@MOSTLY_SQLITE
def test_the_newest_checkpoint_of_every_current_log(shop: Shop) -> None:
    shop.tokenize("email", "a@example.com")
    sealer(shop.resources).run_once()
    shop.tokenize("email", "b@example.com")
    sealer(shop.resources).run_once()
    with shop.resources.database.read() as connection:
        logs = auditlog.logs(connection)
        newest = [auditlog.checkpoint(connection, log.tenant, log.log, log.size) for log in logs]
    with Snapshot(shop.resources.database) as snapshot:
        assert snapshot.checkpoints() == [one.note for one in newest if one is not None]
        assert snapshot.sizes() == {(log.tenant, log.log): log.size for log in logs}
    assert len([one for one in newest if one]) == 2


@ON_SQLITE
def test_leaves_that_were_archived_do_not_come(shop: Shop) -> None:
    for at in range(3):
        shop.tokenize("email", f"{at}@example.com")
    sealer(shop.resources).run_once()
    tenant = shop.actor.tenant

    def work(transaction: Transaction) -> None:
        mine = audit_log.c.tenant == tenant
        transaction.connection.execute(audit_log.update().where(mine).values(dropped=2))

    shop.resources.database.write(work)
    expected = sorted(at for at in range(2, 100) if at < size_of(shop))
    for since, sizes in ((-1, {}), (0, {}), (0, {(tenant, 1): 1})):
        with Snapshot(shop.resources.database) as snapshot:
            found = of(list(snapshot.blocks("data", since, sizes)))["audit_leaf"].values()
            counted = snapshot.counts("data")["audit_leaf"]
        mine = [row["position"] for row in found if row["tenant"] == tenant]
        assert mine == expected
        assert counted == size_of(shop) - 2 + size_of(shop, shop.tests.tenant)


def size_of(shop: Shop, tenant: int | None = None) -> int:
    with shop.resources.database.read() as connection:
        log = auditlog.current(connection, tenant or shop.actor.tenant)
    return log.size if log else 0


@MOSTLY_SQLITE
def test_parts_of_logs_behind_any_size_are_all_there_is_behind_it(shop: Shop) -> None:
    """Buckets of leaves and tiles are cut as `auditgrowth` fills them, at sizes that no test reaches by writing."""
    logs = [auditlog.Log(5, 1, 0, None, 70_000, 0, None, None, None)]
    extracts = Extracts(postgresql=False)
    queries = [*extracts.leaves(logs, {(5, 1): 65_000}), *extracts.tiles(logs, {(5, 1): 65_000})]
    found = [query.partition(" WHERE ")[2].partition(" ORDER")[0] for query in queries]
    mine = "tenant = 5 AND log = 1"
    assert found == [
        f"bucket = 5 AND {mine} AND position >= 65000 AND position < 65536",
        f"bucket = 6 AND {mine} AND position >= 65536 AND position < 70000",
        f"bucket = 5 AND {mine} AND level = 0 AND number >= 253 AND number < 256",
        f"bucket = 5 AND {mine} AND level = 1 AND number >= 0 AND number < 2",
        f"bucket = 5 AND {mine} AND level = 2 AND number >= 0 AND number < 1",
        f"bucket = 6 AND {mine} AND level = 0 AND number >= 256 AND number < 274",
    ]
    assert list(extracts.leaves(logs, {(5, 1): 70_000})) == list(extracts.tiles(logs, {(5, 1): 70_000})) == []


@ON_SQLITE
def test_every_change_of_a_row_raises_its_epoch(busy: Busy) -> None:
    """A statement that forgets the epoch would leave what it changed out of every increment."""
    database = busy.shop.resources.database
    stamped = [
        table for stream in STREAMS for table, how in TABLES[stream].items() if how != "whole"
        and "epoch" in COLUMNS[table]
    ]  # fmt: skip
    changed = set()
    for purpose in ("seal", "index"):
        before, now = contents(database), epochs.advance(database)
        busy.turn(purpose)
        busy.everything()
        after = contents(database)
        for table in stamped:
            for key, row in after[table].items():
                if before[table].get(key) != row:
                    assert row["epoch"] >= now, table
                    changed |= {table} if key in before[table] else set()
    # Rows of these were changed, not only entered; of others nothing is ever changed.
    assert changed >= {
        "subject", "password", "attempt", "spending", "proposal", "alarm", "audit_checkpoint", "audit_tile"
    }  # fmt: skip


@pytest.fixture
def writer() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def tombstone(number: int, transaction: Transaction) -> None:
    transaction.append("tombstone", [(1, 1, number.to_bytes(4, "big"))])


def tombstones(blocks: list[Block]) -> set[int]:
    return {
        int.from_bytes(row[2], "big") for block in blocks if block.table == "tombstone" for row in block.rows
    }


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_written_into_an_epoch_after_it_was_read_comes_next_time(
    database: Database, another: Database, writer: ThreadPoolExecutor
) -> None:
    """A transaction names its epoch and commits much later; on SQLite, with one writer, nobody advances meanwhile."""
    entered, go = Event(), Event()

    def slow(transaction: Transaction) -> None:
        tombstone(1, transaction)
        transaction.flush()
        entered.set()
        assert go.wait(60)

    late = writer.submit(another.write, slow)
    assert entered.wait(60)
    began = time.monotonic()
    assert prepare(database) == 0  # it waits a moment, not for ever
    assert time.monotonic() - began < 30
    database.write(lambda transaction: tombstone(2, transaction))
    with Snapshot(database) as first:
        assert (first.until, tombstones(list(first.blocks("keyring", -1, {})))) == (0, {2})
    go.set()
    late.result(60)
    prepare(database)
    with Snapshot(database) as second:
        assert tombstones(list(second.blocks("keyring", first.until, {}))) == {1, 2}
        assert second.until > 0


def test_closed_epochs_are_told_by_the_newest(database: Database) -> None:
    """A journal opens one every few seconds: all of them would be millions in a year."""
    for _ in range(5):
        closed = prepare(database)
    with database.read() as connection:
        held = list(connection.execute(select(metadata.tables["epoch"].c.id)).scalars())
    assert sorted(held) == [closed, closed + 1] == [5, 6]


@ON_SQLITE
def test_an_increment_has_what_changed_and_no_more(shop: Shop) -> None:
    shop.tokenize("email", *[f"{at}@example.com" for at in range(30)])
    base = take(shop.resources.database)
    (fresh,) = shop.tokenize("email", "new@example.com")
    found = take(shop.resources.database, base)
    rows = {table: len(rows) for table, rows in of(found.blocks["data"]).items() if rows}
    assert rows == {"token": 1, "api_key": 2, "audit_record": len(base.all["audit_record"]) + 1}
    assert found.until > base.until
    assert shop.vault.delete(shop.actor, [fresh]).deleted == 1
    last = take(shop.resources.database, found)
    assert [len(block.rows) for block in last.blocks["keyring"] if block.table == "tombstone"] == [1]


@ON_SQLITE
def test_a_whole_table_without_rows_still_comes(shop: Shop) -> None:
    """Or what was in the base would stay."""
    base = take(shop.resources.database)
    found = {block.table: len(block.rows) for block in take(shop.resources.database, base).blocks["data"]}
    assert found["frozen_caller"] == 0
    assert "password" not in found


@ON_SQLITE
def test_a_database_that_fails_is_said(shop: Shop) -> None:
    with Snapshot(shop.resources.database) as snapshot:
        snapshot._connection.exec_driver_sql("ROLLBACK")
        with shop.resources.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE policy")
        with pytest.raises(StoreUnavailable):
            list(snapshot.blocks("data", -1, {}))
