"""Backups made: of one state of the database, in two streams, and nothing is listed that is not whole."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys import identity
from keys.keyset import SERVICE, Purpose, wrapping_context
from tests.vault.conftest import MOSTLY_SQLITE, ON_SQLITE, Shop
from tests.vault.recovery.kept import Kept, kept
from vault.backup import envelope, layout, manifests
from vault.backup.blocks import Digester
from vault.columns import Actor
from vault.recovery import chunking, escrow, ownkeys
from vault.sealer import Sealer
from vault.store import copies


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path) as opened:
        yield opened


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "ENOUGH", 2_000)


def same(house: Kept, folder: Path) -> None:
    """What is loaded from a folder is what the database has."""
    for stream in ("keyring", "data"):
        loaded, there = house.loaded(folder, stream), house.there(stream)
        loaded.pop("escrow", None)
        for table in there.keys() | loaded.keys():
            assert loaded[table] == there[table], table


def seal(house: Kept) -> None:
    """Move what is in the audit's inbox into the logs."""
    Sealer(house.resources, "test", lambda: False, lambda _: None, house.unexpected.append).run_round()


def kinds(house: Kept, stream: str = "data") -> list[str]:
    return [one.kind for one in house.manifests(house.folders[0], stream)]  # type: ignore[arg-type]


def test_a_full_backup_and_journals_are_the_database(house: Kept) -> None:
    house.shop.tokenize("phone", "13800138000", "13800138001", subjects=["anna", None])
    seal(house)
    house.run_once()
    for folder in house.folders:
        same(house, folder)
    assert kinds(house, "keyring") == ["full"]
    for value in ("13800138002", "13800138003"):
        house.shop.tokenize("phone", value, subjects=[value])
        seal(house)
        house.run_once()
    assert kinds(house, "keyring") == ["full", "journal", "journal"]
    for folder in house.folders:
        same(house, folder)


@MOSTLY_SQLITE
def test_what_did_not_change_is_not_sent_again(house: Kept) -> None:
    house.shop.tokenize("phone", "13800138000")
    for _ in range(3):
        house.run_once()
    seen = len(kinds(house))
    house.run_once()
    assert len(kinds(house)) == seen
    house.shop.tokenize("phone", "13800138001")
    house.run_once()
    newest = house.manifests(house.folders[0], "data")[-1]
    assert newest.kind == "journal"
    sent = {table for chunk in newest.chunks for table in chunk.rows}
    assert {"token", "audit_record"} <= sent
    assert not sent & {"api_key", "audit_signer", "frozen_caller"}


@MOSTLY_SQLITE
def test_all_that_was_there_is_known_to_be_shipped(house: Kept) -> None:
    before = house.resources.database.now()
    house.run_once()
    with house.resources.database.read() as connection:
        assert (copies.shipped(connection) or 0) >= before
        assert {one.name: one.state for one in copies.targets(connection)} == {
            f"file:target{number}": "ok" for number in range(3)
        }


def test_a_backup_is_of_one_state_while_others_write(house: Kept, small_chunks: None) -> None:
    ended = threading.Event()
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10_000):
                house.shop.tokenize("phone", f"138{number}{turn:07}", subjects=[f"{number} {turn}"])
                if ended.is_set():
                    return
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(3):
        house.run_once()
    ended.set()
    for writer in writers:
        writer.join()
    assert not failures
    for manifest in house.manifests(house.folders[0], "data"):
        data = house.loaded(house.folders[0], "data", manifest.number)
        keyring = house.loaded(house.folders[0], "keyring", manifest.keyring)
        persons = {(row[1], row[2]) for row in keyring["subject"].values()}
        assert {(row[1], row[7]) for row in data["token"].values()} == persons
        records = len(data["audit_record"]) + len(data["audit_leaf"])
        assert records == len(data["token"]) + 2  # one of each bootstrap
    house.run_once()
    same(house, house.folders[0])


@ON_SQLITE
def test_a_manifest_says_what_there_is(house: Kept, small_chunks: None) -> None:
    house.shop.tokenize("phone", *(f"1380013{number:04}" for number in range(40)))
    house.run_once()
    data, keyring = (
        house.manifests(house.folders[0], "data")[0],
        house.manifests(house.folders[0], "keyring")[0],
    )
    assert data.keyring == keyring.number
    assert data.counts["token"] == 40
    assert sum(data.keys.values()) == 40
    assert len(data.chunks) > 1
    for manifest in (data, keyring):
        assert manifest.digests.keys() == manifest.counts.keys()
        sent: dict[str, int] = {}
        for chunk in manifest.chunks:
            for table, rows in chunk.rows.items():
                sent[table] = sent.get(table, 0) + rows
        assert sent == {table: count for table, count in manifest.counts.items() if count or table in sent}
    key = manifests.digest_key(ownkeys.digest_key(house.resources))
    digester = Digester(key)
    for block in house.blocks(house.folders[0], data):
        if block.table == "token":
            digester.add(block.rows)
    assert digester.hex() == data.digests["token"]


@ON_SQLITE
def test_the_root_and_the_recovery_key_open_it_and_nobody_else(house: Kept) -> None:
    house.run_once()
    folder, manifest = house.folders[0], house.manifests(house.folders[0], "keyring")[0]
    path = layout.chunk(manifest.installation, "keyring", manifest.chunks[0].digest)
    (wrapped,) = manifest.roots
    context = wrapping_context(SERVICE, Purpose.BACKUP, int(wrapped.id, 16))
    root = house.resources.keyring.root(wrapped.root)
    (secret,) = root.unwrap([b64decode(wrapped.wrapped)], [context])
    assert identity.recipient(secret) == wrapped.recipient
    assert manifest.recipients == {
        "recovery": [identity.recipient(house.recovery)], "root": [wrapped.recipient],
    }  # fmt: skip
    assert envelope.opened((folder / path).read_bytes(), [secret])
    with pytest.raises(envelope.NoIdentity):
        envelope.opened((folder / path).read_bytes(), [type(secret).random()])


@ON_SQLITE
def test_the_recovery_key_alone_opens_the_escrow(house: Kept) -> None:
    house.run_once()
    blobs = house.loaded(house.folders[0], "keyring")["escrow"]
    assert set(blobs) == {SERVICE, house.shop.actor.tenant, house.shop.tests.tenant}
    held = escrow.opened(blobs[house.shop.actor.tenant][1], [house.recovery])
    keys = house.resources.keyring.keys(house.shop.actor.tenant)
    assert held == {
        key.id: (purpose.value, key.secret)
        for purpose, known in keys.versions.items()
        for key in known.values()
    }
    with pytest.raises(envelope.NoIdentity):
        escrow.opened(blobs[SERVICE][1], ownkeys.identities(house.resources))


@ON_SQLITE
def test_a_keyset_that_turned_is_escrowed_before_its_data(house: Kept) -> None:
    house.run_once()
    house.run_once()
    before = house.manifests(house.folders[0], "keyring")[-1]
    ownkeys.rotate(house.resources, Actor(house.shop.actor.tenant, "live", "x", "y", kind="local"))
    house.run_once()
    newest = house.manifests(house.folders[0], "keyring")[-1]
    assert newest.number > before.number
    assert len(newest.roots) == 2
    assert "escrow" in {table for chunk in newest.chunks for table in chunk.rows}
    blob = house.loaded(house.folders[0], "keyring")["escrow"][SERVICE][1]
    assert len(escrow.opened(blob, [house.recovery])) == 4
    same(house, house.folders[0])


@ON_SQLITE
def test_an_erased_person_is_gone_from_the_newest_keyring(house: Kept) -> None:
    house.shop.tokenize("phone", "13800138000", "13800138001", subjects=["anna", "bert"])
    house.run_once()
    old = house.loaded(house.folders[0], "keyring")
    house.shop.vault.erase(house.shop.actor, "anna")
    house.run_once()
    journal = house.loaded(house.folders[0], "keyring")
    assert len(journal["erasure"]) == len(journal["departure"]) == 1
    house.shop.later(2 * 86_400)
    house.run_once()
    full = house.manifests(house.folders[0], "keyring")[-1]
    assert full.kind == "full"
    newest = house.loaded(house.folders[0], "keyring")
    assert len(old["subject"]) == 2
    assert len(newest["subject"]) == 1
    assert len(newest["erasure"]) == 1
