"""Loading backups into an empty database: all is as it was, nothing that went comes back, a failure leaves nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from keys.keyring import Keyring
from tests.databases import KINDS, migrated_database
from tests.scenarios.campaign import FULL, rounds
from tests.vault.conftest import ON_SQLITE, SCHEMA_AT_HAND, Shop
from tests.vault.store.busy import Busy
from tests.vault.store.carried import contents, load, read, require_same, restore, take
from tests.waiting import until
from vault.credentials import Login
from vault.errors import (
    BackupFromNewer,
    DatabaseNotEmpty,
    InvalidRequest,
    SchemaBehind,
    StoreConflict,
    StoreUnavailable,
)
from vault.service import Vault
from vault.store import migrate, revision
from vault.store.database import Database
from vault.store.empty import require_empty
from vault.store.keysets import Keysets
from vault.store.loading import Loader
from vault.store.streams import Block
from vault.store.tables import metadata, policy, subject, token
from vault.store.writer import Refused, Transaction


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a restore goes: no file, or an empty database of PostgreSQL with the schema."""
    folder = tmp_path / "target"
    folder.mkdir()
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/new.db"
        return
    with migrated_database(request.param, folder, request.getfixturevalue("postgres")) as url:
        yield url


WAYS = [(source, kind) for source in KINDS for kind in KINDS]
OTHERS = [way for way in WAYS if way[0] != way[1]]
ON_THE_OTHER = pytest.mark.parametrize(("database_url", "target"), OTHERS, indirect=True)
ONE_WAY = pytest.mark.parametrize(("database_url", "target"), OTHERS if FULL else OTHERS[:1], indirect=True)
EVERY_WAY = pytest.mark.parametrize(("database_url", "target"), WAYS if FULL else OTHERS, indirect=True)
AS_A_FILE = pytest.mark.parametrize("target", ["sqlite"], indirect=True)


def opened(url: str) -> Database:
    return Database(url, time.time, time.monotonic)


def loader(url: str) -> Loader:
    return Loader(url, time.time, time.monotonic)


def held(url: str) -> Any:
    database = opened(url)
    found = contents(database)
    database.close()
    return found


@EVERY_WAY
def test_all_that_travels_arrives(shop: Shop, target: str) -> None:
    busy = Busy(shop, 2)
    busy.everything()
    taken = take(shop.resources.database)
    restore(target, [taken])
    require_same(held(target), contents(shop.resources.database), exact=True)
    database = opened(target)
    assert migrate.check(database) == []  # the indexes are there again
    if target.startswith("sqlite"):
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
    with database.read() as connection:
        (epoch,) = connection.execute(select(metadata.tables["epoch"].c.id)).scalars()
        newest = connection.execute(select(func.max(token.c.epoch))).scalar_one()
    assert epoch > newest
    database.close()


@ON_THE_OTHER
@pytest.mark.parametrize("seed", range(rounds(1, 40)))
@SCHEMA_AT_HAND
def test_increments_lead_to_the_last_state(shop: Shop, target: str, seed: int) -> None:
    """Whatever happens between two backups, and while they are read."""
    busy, chain = Busy(shop, seed), []
    busy.go_on(12)
    chain.append(take(shop.resources.database))
    thread = Thread(target=lambda: [busy.go_on(1) for _ in range(36)])
    thread.start()
    for step in (1, 2):
        so_many = busy.done + 8 * step
        until(lambda most=so_many: busy.done >= most or not thread.is_alive())
        chain.append(take(shop.resources.database, chain[-1]))
    thread.join()
    busy.turn("seal")
    chain.append(take(shop.resources.database, chain[-1]))
    with loader(target) as into:
        load(into, chain)
        require_same(read(into.state()).all, chain[-1].all, exact=False)
        require_same(chain[-1].all, contents(shop.resources.database), exact=True)
        into.finish()
    require_same(held(target), chain[-1].all, exact=False)


@ONE_WAY
@SCHEMA_AT_HAND
def test_what_was_loaded_is_used_before_anybody_else_sees_it(shop: Shop, target: str) -> None:
    tokens = shop.tokenize("email", "a@example.com", "b@example.com", subjects=["ann", None])
    with loader(target) as into:
        load(into, [take(shop.resources.database)])
        keyring = Keyring(
            Keysets(into.database), shop.resources.keyring.roots, "memory", time.monotonic
        )  # fmt: skip
        vault = Vault(replace(shop.resources, database=into.database, keyring=keyring))
        found = vault.reveal(shop.actor, tokens, "service", "plain")
        assert found.values == ["a@example.com", "b@example.com"]
        with into.database.read() as connection:
            records = connection.execute(select(metadata.tables["audit_record"].c.epoch)).scalars().all()
        assert (
            max(records) == into.epoch
        )  # that it was revealed goes on record, later than all that was loaded
    require_nothing(target)


@SCHEMA_AT_HAND
def test_what_refused_work_has_written_stands(target: str) -> None:
    """As in a database of its own: the record of a refusal."""

    def refuse(transaction: Transaction) -> None:
        transaction.append("tombstone", [(1, 1, b"t")])
        raise Refused(InvalidRequest("no"))

    with loader(target) as into:
        with pytest.raises(InvalidRequest):
            into.database.write(refuse)
        assert into.state().counts("keyring")["tombstone"] == 1


def require_nothing(url: str) -> None:
    """Fail unless the database is as empty as it was."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        assert {one.name for one in path.parent.iterdir()} <= {f"{path.name}-writer"}
        return
    database = opened(url)
    require_empty(database)
    database.close()


@ON_SQLITE
@SCHEMA_AT_HAND
def test_a_failure_leaves_nothing_and_the_next_attempt_goes_through(shop: Shop, target: str) -> None:
    shop.tokenize("email", "a@example.com")
    taken = take(shop.resources.database)
    with suppress(ZeroDivisionError), loader(target) as into:
        load(into, [taken])
        raise ZeroDivisionError
    require_nothing(target)
    with loader(target) as into:  # left without a word
        load(into, [taken])
    require_nothing(target)
    restore(target, [taken])
    require_same(held(target), contents(shop.resources.database), exact=True)


@AS_A_FILE
@ON_SQLITE
def test_what_a_crash_left_is_swept_away(shop: Shop, target: str) -> None:
    path = Path(target.removeprefix("sqlite:///"))
    for ending in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}-restoring{ending}").write_bytes(b"half a file")
    restore(target, [take(shop.resources.database)])
    require_same(held(target), contents(shop.resources.database), exact=True)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}-writer"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_with_rows_is_refused(database_url: str) -> None:
    database = opened(database_url)

    def work(transaction: Transaction) -> None:
        transaction.append("tombstone", [(1, 1, b"t")])

    database.write(work)
    database.close()
    with pytest.raises(DatabaseNotEmpty, match="rows in tombstone"), loader(database_url):
        raise AssertionError
    before = held(database_url)
    assert len(before["tombstone"]) == 1


def test_a_database_that_was_in_use_is_refused(database_url: str) -> None:
    database = opened(database_url)
    with database.engine.begin() as connection:
        connection.execute(insert(metadata.tables["epoch"]).values(id=2, opened_at=1))
    database.close()
    with pytest.raises(DatabaseNotEmpty, match="used before"), loader(database_url):
        raise AssertionError


def test_a_database_of_something_else_is_refused(empty_url: str) -> None:
    database = opened(empty_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id integer)")
    database.close()
    with pytest.raises(DatabaseNotEmpty, match="customers"), loader(empty_url):
        raise AssertionError


def test_a_database_at_another_schema_is_refused(database_url: str) -> None:
    mark(database_url, "0001")
    with pytest.raises(SchemaBehind), loader(database_url):
        raise AssertionError
    mark(database_url, revision.head())


def mark(url: str, schema: str) -> None:
    database = opened(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema}'")
    database.close()


@ON_SQLITE
def test_an_empty_database_gets_the_schema(shop: Shop, empty_url: str) -> None:
    restore(empty_url, [take(shop.resources.database)])
    require_same(held(empty_url), contents(shop.resources.database), exact=True)


@AS_A_FILE
@ON_SQLITE
@pytest.mark.parametrize("schema", [True, False])
def test_an_empty_file_is_replaced(shop: Shop, target: str, schema: bool) -> None:
    database = opened(target)
    with database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    if schema:
        migrate.upgrade(database)
    database.close()
    restore(target, [take(shop.resources.database)])
    require_same(held(target), contents(shop.resources.database), exact=True)


@AS_A_FILE
@ON_SQLITE
def test_a_link_goes_on_to_lead_to_the_file(shop: Shop, target: str) -> None:
    path = Path(target.removeprefix("sqlite:///"))
    there = path.parent / "elsewhere"
    there.mkdir()
    path.symlink_to(there / "real.db")
    restore(target, [take(shop.resources.database)])
    assert path.is_symlink()
    require_same(held(target), contents(shop.resources.database), exact=True)


@ON_SQLITE
def test_a_file_that_somebody_has_open_is_not_replaced(database_url: str) -> None:
    path = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT 1 FROM tenant").fetchall()
        with pytest.raises(StoreUnavailable, match="open"), loader(database_url):
            raise AssertionError
    with loader(database_url), pytest.raises(StoreUnavailable, match="writes"), loader(database_url):
        raise AssertionError
    assert held(database_url)["tenant"] == {}


# What went does not come back


LOGIN, PASSWORD = Login(subject="bob"), "correct horse, battery, staple"


@pytest.mark.parametrize(
    ("database_url", "target", "ahead"),
    [("sqlite", "postgresql", 86_400.0), ("postgresql", "sqlite", -86_400.0)],
    indirect=["database_url", "target"],
)
@SCHEMA_AT_HAND
def test_who_comes_again_stays_whatever_the_clocks_say(shop: Shop, target: str, ahead: float) -> None:
    """Deleted by a process whose clock is ahead or behind, entered anew by another, within one epoch or not."""

    def enter() -> str:
        shop.vault.store_password(shop.actor, LOGIN, PASSWORD)
        return shop.tokenize("email", "a@example.com", subjects=["ann"])[0]

    enter()
    base = take(shop.resources.database)
    shop.shift[0] = ahead
    shop.vault.erase(shop.actor, "ann")
    shop.vault.delete_password(shop.actor, LOGIN)
    shop.shift[0] = 0.0
    between = take(shop.resources.database, base)
    enter()
    last, whole = take(shop.resources.database, base), take(shop.resources.database)
    assert base.all["password"].keys() == whole.all["password"].keys()
    assert [len(whole.all[table]) for table in ("subject", "password", "departure")] == [2, 1, 2]
    for chain in ([base, last], [base, between, replace(last, full=False)], [whole]):
        with loader(target) as into:
            load(into, chain)
            require_same(read(into.state()).all, whole.all, exact=False)
    mixed = replace(base, blocks={"keyring": whole.blocks["keyring"], "data": base.blocks["data"]})
    with loader(
        target
    ) as into:  # old data under the newest keyring: what was deleted since does not come back
        load(into, [mixed])
        found = read(into.state()).all
    assert found["subject"] == whole.all["subject"]
    assert found["password"] == {}
    assert found["token"] == {}
    with loader(target) as into:  # while both are gone
        load(into, [base, between])
        found = read(into.state()).all
    assert (found["token"], found["password"]) == ({}, {})
    assert found["subject"].keys() < base.all["subject"].keys()


def enter_subject(transaction: Transaction, key: int, epoch: int) -> None:
    row = {"bucket": 1, "tenant": 1, "digest": b"d" * 16, "key": key, "wrapped": b"w", "wrap_key": 1}
    transaction.connection.execute(insert(subject).values(**row, created_at=1, epoch=epoch))


@ONE_WAY
@SCHEMA_AT_HAND
def test_persons_that_a_former_release_erased_are_told_by_the_ledger(database: Database, target: str) -> None:
    """It remembered no departures; whoever came again since has another key."""
    database.write(lambda transaction: enter_subject(transaction, 7, 1))
    base = take(database)

    def erase(transaction: Transaction) -> None:
        transaction.connection.execute(subject.delete())
        row = (1, 1, b"e" * 16, b"d" * 16, 7, 1, 5)
        transaction.append("erasure", [row])

    database.write(erase)
    erased = take(database, base)
    with loader(target) as into:
        load(into, [base, erased])
        assert read(into.state()).all["subject"] == {}
    database.write(lambda transaction: enter_subject(transaction, 8, transaction.epoch))
    with loader(target) as into:
        load(into, [base, erased, take(database, erased)])
        assert [row["key"] for row in read(into.state()).all["subject"].values()] == [8]


@ONE_WAY
@SCHEMA_AT_HAND
def test_index_entries_of_deleted_tokens_go_with_them(shop: Shop, target: str) -> None:
    """Where a block was put as it is, too: `replay` leaves nothing of what the keyring buried."""
    kept, gone = shop.tokenize("email", "a@example.com", "b@example.com")
    base = take(shop.resources.database)
    shop.vault.delete(shop.actor, [gone])
    with loader(target) as into:
        into.layer(full=True)
        for block in take(shop.resources.database).blocks["keyring"] + base.blocks["data"]:
            into.put(block)
        tokens = list(base.all["token"].values())
        with into.database.read() as connection:  # as if their values had been read
            table = metadata.tables["token"]
            connection.execute(update(table).values(index_bucket=table.c.bucket, digest=bytes(16)))
        into.index(len(tokens))
        assert into.replay() == {"subject": 0, "password": 0, "token": 1}
        left = read(into.state()).all["token"]
        with into.database.read() as connection:
            query = select(metadata.tables["index_entry"].c.token)
            assert [row[2] for row in left] == list(connection.execute(query).scalars())
        assert into.replay() == {"subject": 0, "password": 0, "token": 0}
    assert len(tokens) == 2
    assert kept != gone


# Blocks as other versions wrote them, or nobody should have


POLICY = {
    "tenant": 1, "version": 1, "document": "", "digest": b"", "author": "a", "proposal": None, "taken_at": 1, "epoch": 3
}  # fmt: skip


def block(**changed: Any) -> Block:
    row = {**POLICY, **changed}
    return Block("policy", list(row), [tuple(row.values())])


def policies(into: Loader) -> list[dict[str, Any]]:
    return [dict(row) for row in into.connection.execute(select(policy)).mappings()]


def without(one: Block, name: str) -> Block:
    at = list(one.columns).index(name)
    drop = [column for column in one.columns if column != name]
    return Block(one.table, drop, [(*row[:at], *row[at + 1 :]) for row in one.rows])


@SCHEMA_AT_HAND
def test_columns_are_told_by_their_names(target: str) -> None:
    with loader(target) as into:
        into.layer(full=True)
        one = block(author="ann")
        into.put(Block("policy", [*one.columns][::-1], [one.rows[0][::-1]]))
        assert policies(into) == [{**POLICY, "author": "ann"}]
        into.layer(full=False)
        into.put(without(block(proposal="x", taken_at=2), "proposal"))  # of a version that had no such column
        into.put(Block("policy", [*one.columns, "gone"], [(*block(version=2).rows[0], "what it was")]))
        assert policies(into) == [{**POLICY, "taken_at": 2}, {**POLICY, "version": 2}]
        with pytest.raises(BackupFromNewer, match="policy lack author"):
            into.put(without(block(), "author"))
        with pytest.raises(BackupFromNewer, match="'lease'"):
            into.put(Block("lease", ["name"], [("x",)]))
        into.put(Block("escrow", ["tenant", "blob"], [(1, b"x")]))  # kept by nobody


@SCHEMA_AT_HAND
def test_rows_of_a_full_backup_come_once(target: str) -> None:
    with loader(target) as into:
        into.layer(full=True)
        into.put(block())
        with pytest.raises(StoreConflict) as raised:
            into.put(block())
        assert raised.value.__context__ is None  # which would tell the row


@SCHEMA_AT_HAND
def test_a_table_that_goes_whole_takes_the_place_of_what_was_there(target: str) -> None:
    def callers(*names: str) -> Block:
        columns = ["tenant", "caller", "reason", "frozen_by", "at", "epoch"]
        return Block("frozen_caller", columns, [(1, name, "", "", 1, 1) for name in names])

    def there(into: Loader) -> list[str]:
        query = select(metadata.tables["frozen_caller"].c.caller)
        return sorted(into.connection.execute(query).scalars())

    with loader(target) as into:
        into.layer(full=True)
        into.put(callers("a", "b"))
        into.put(callers("c"))
        assert there(into) == ["a", "b", "c"]
        into.layer(full=False)
        into.put(block())
        assert there(into) == ["a", "b", "c"]  # left out, for it is as it was
        into.put(callers("d"))
        into.put(callers("a"))
        assert there(into) == ["a", "d"]
        into.layer(full=False)
        into.put(callers())
        assert there(into) == []


def job(name: str, finished: int | None) -> tuple[Any, ...]:
    row: dict[str, Any] = {
        "id": name, "tenant": 1, "kind": "k", "target": "keyset seal", "state": "s", "phase": "", "notes": "{}",
        "place": b"", "done": 0, "total": 0, "skipped": 0, "error": None, "actor": "a", "request_id": "r",
        "created_at": 1, "updated_at": 1, "finished_at": finished, "holder": "", "fence": 0, "leased_until": 0,
        "epoch": 1,
    }  # fmt: skip
    return tuple(row.values())


@SCHEMA_AT_HAND
def test_a_job_that_ended_makes_room_for_the_next_in_any_order(target: str) -> None:
    columns = metadata.tables["job"].columns.keys()
    with loader(target) as into:
        into.layer(full=True)
        into.put(Block("job", columns, [job("job_b", None)]))
        into.layer(full=False)
        into.put(Block("job", columns, [job("job_a", None), job("job_b", 2)]))
        into.finish()
    assert len(held(target)["job"]) == 2


@SCHEMA_AT_HAND
def test_rows_that_clash_are_refused_at_the_end_at_the_latest(target: str) -> None:
    columns = metadata.tables["job"].columns.keys()
    with loader(target) as into:
        into.layer(full=True)
        into.put(Block("job", columns, [job("job_a", None), job("job_b", None)]))
        with pytest.raises(StoreConflict):
            into.finish()
    require_nothing(target)
