"""Sealing while somebody who has the database, and no key, writes into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vault.audit.sealed import leaves, sealer, waiting
from tests.vault.conftest import Shop, open_shop
from vault.audit import checkpoints, merkle, notes
from vault.audit.answers import Query
from vault.audit.leaf import decode
from vault.sealer import Sealer
from vault.store import alarms, audithealth
from vault.store.writer import Transaction


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite."""
    opened = open_shop(f"sqlite:///{tmp_path}/vault.db")
    yield opened
    opened.vault.close()


def run(shop: Shop, statement: str) -> None:
    shop.resources.database.write(
        lambda transaction: transaction.connection.exec_driver_sql(statement) and None
    )


def state(shop: Shop) -> str:
    with shop.resources.database.read() as connection:
        return {one.name: one.state for one in audithealth.states(connection)}[audithealth.SEALER]


def put(shop: Shop, leaf: bytes, tenant: int | None = None) -> None:
    record_id = shop.resources.database.now().to_bytes(8, "big") + os.urandom(8)

    def work(transaction: Transaction) -> None:
        transaction.append("audit_record", [(7, tenant or shop.actor.tenant, record_id, leaf)])

    shop.resources.database.write(work)


def test_a_damaged_tile_keeps_its_own_tenant_from_sealing_and_nobody_else(shop: Shop) -> None:
    one = sealer(shop.resources)
    for at in range(3):
        shop.vault.record_refusal(shop.actor, "reveal", f"refused_{at}")
    one.run_round()
    run(shop, f"DELETE FROM audit_tile WHERE tenant = {shop.actor.tenant}")
    shop.vault.record_refusal(shop.actor, "reveal", "refused")
    shop.vault.record_refusal(shop.tests, "reveal", "refused")
    one.run_round()
    assert state(shop) == "tile_damaged"
    assert len(waiting(shop)) == 1


def test_what_nobody_expects_of_one_tenant_is_told_and_keeps_nobody_else_from_sealing(plain: Shop) -> None:
    failures: list[Exception] = []
    one = Sealer(plain.resources, "test", lambda: False, lambda _: None, failures.append)
    one.run_round()
    run(plain, f"UPDATE audit_tile SET hashes = 'text' WHERE tenant = {plain.actor.tenant}")
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    plain.vault.record_refusal(plain.tests, "reveal", "refused")
    one.run_round()
    assert (state(plain), plain.count("audit_record")) == ("sealing_failed", 1)
    assert [type(failure) for failure in failures] == [TypeError]


def test_a_record_that_was_edited_with_its_tiles_is_never_signed(plain: Shop) -> None:
    one = sealer(plain.resources)
    for at in range(3):
        plain.vault.record_refusal(plain.actor, "reveal", f"refused_{at}")
    one.run_round()
    held = leaves(plain)
    at = next(at for at, leaf in enumerate(held) if b"refused_1" in leaf)
    held[at] = held[at].replace(b"refused_1", b"refused_9")
    packed = b"".join(merkle.leaf_hashes(held))
    mine = f"tenant = {plain.actor.tenant}"
    run(plain, f"UPDATE audit_leaf SET leaf = x'{held[at].hex()}' WHERE {mine} AND position = {at}")
    run(plain, f"UPDATE audit_tile SET hashes = x'{packed.hex()}' WHERE {mine} AND level = 0")
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    one.run_round()
    assert (state(plain), len(leaves(plain)), len(waiting(plain))) == ("log_damaged", len(held), 1)


def test_bytes_that_are_no_record_hide_no_later_one_from_questions(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    put(plain, b"none")
    one.run_round()
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    one.run_round()
    found = plain.vault.audit.records(plain.actor, Query(caller=plain.actor.name, result="refused"))
    assert [one.record.result for one in found.records] == ["refused"]


def test_a_record_of_nobody_keeps_nobody_from_sealing(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    put(plain, b"none", 4_242_424_242)
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    one.run_round()
    assert not waiting(plain)


def test_a_checkpoint_that_somebody_else_signed_is_not_built_upon(plain: Shop) -> None:
    one = sealer(plain.resources)
    one.run_round()
    name = checkpoints.log_name(plain.actor.tenant, 1)
    thief, held = notes.Signer(name, bytes(32)), leaves(plain)
    note = checkpoints.sign(thief, len(held), merkle.root_of(merkle.leaf_hashes(held)))
    there = f"WHERE tenant = {plain.actor.tenant}"
    run(plain, f"UPDATE audit_checkpoint SET note = '{note}' {there} AND size = {len(held)}")
    run(plain, f"UPDATE audit_signer SET public = x'{thief.public.hex()}' {there}")
    plain.vault.record_refusal(plain.actor, "reveal", "refused")
    for _ in range(3):
        one.run_round()
    assert (state(plain), len(leaves(plain))) == ("log_damaged", len(held))
    with plain.resources.database.read() as connection:
        told = alarms.page(connection, plain.actor.tenant, None, 10)
    assert [(alarm.kind, alarm.detail) for alarm in told] == [("audit_damaged", {"code": "log_damaged"})]


def test_a_sealer_that_takes_over_tells_few_logs_at_once(
    plain: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.sealer.STARTS", 1)
    sealer(plain.resources, "one").run_once()
    other = sealer(plain.resources, "other")
    told = []
    for _ in range(3):
        other.run_round()
        logs = [leaves(plain), leaves(replace(plain, actor=plain.tests))]
        told.append([[decode(leaf).operation for leaf in log].count("log_started") for log in logs])
    assert sorted(map(sum, told)) == [1, 2, 2]
    assert told[-1] == [1, 1]


def test_a_sealer_that_ends_leaves_what_takes_long_to_the_next(
    plain: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.sealer.END_SECONDS", -1.0)
    one = sealer(plain.resources, "one")
    one.run_round()
    one.end()
    assert plain.count("audit_record") == 1
    sealer(plain.resources, "other").run_round()
    operations = [decode(leaf).operation for leaf in leaves(plain)]
    assert "log_stopped" in operations
