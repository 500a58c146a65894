"""Decoys: plausible to whoever has them, told apart by nothing but their seal, and an alarm when used."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.vault.conftest import ON_SQLITE, Shop, limited
from vault import fields
from vault.audit import leaf
from vault.columns import Spec
from vault.errors import CallerFrozen, FieldNotGranted, InvalidRequest
from vault.rotate import kinds
from vault.standing import Standing

MADE_UP = [name for name in fields.names() if name != "login_record"]


def decoys(shop: Shop, field: str, *values: str, count: int = 1, **spec: object) -> list[str]:
    made = shop.vault.governance.make_decoys(
        shop.actor, field, count, list(values) or None, Spec(**spec)  # type: ignore[arg-type]
    )  # fmt: skip
    assert not made.errors
    return [token for token in made.tokens if token is not None]


def alarms(shop: Shop) -> list[dict[str, object]]:
    with shop.resources.database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT detail FROM alarm WHERE kind = 'decoy_revealed' ORDER BY at"
        )
        return [json.loads(one) for one in found.scalars()]


def freezing(shop: Shop) -> None:
    """Put a policy in force that freezes who touches a decoy."""
    document = shop.resources.policies.of(shop.actor.tenant).text + "\n[decoys]\nfreeze = true\n"
    with shop.resources.database.engine.begin() as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(
            f"INSERT INTO policy VALUES ({mark}, 1, {mark}, {mark}, 'test', NULL, 0, 0)",
            (shop.actor.tenant, document, bytes(32)),
        )
    shop.resources.policies.forget(shop.actor.tenant)


@ON_SQLITE
def test_a_decoy_is_revealed_like_any_other_and_the_alarm_is_in_the_same_commit(shop: Shop) -> None:
    for name in MADE_UP:
        (token,) = decoys(shop, name)
        assert alarms(shop) == []
        told = shop.vault.reveal(shop.actor, [token], "service", "full").values
        assert fields.normalize_column(name, told, {})[0] == told, name
        (raised,) = alarms(shop)
        assert raised == {"operation": "reveal", "fields": name, "purpose": "service", "decoys": 1}
        with shop.resources.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM alarm")


@ON_SQLITE
def test_an_operators_own_values_are_taken(shop: Shop) -> None:
    tokens = decoys(shop, "phone", "138 0013 8000", "+12025550123")
    assert shop.plain(*tokens) == ["+8613800138000", "+12025550123"]
    made = shop.vault.governance.make_decoys(shop.actor, "phone", values=["no phone", "13800138000"])
    assert (made.tokens[0], made.errors[0].code) == (None, "invalid_value")
    shaped = decoys(shop, "bank_card", "4111111111111111", kind="shaped")
    assert shop.plain(*shaped, field="bank_card") == ["4111111111111111"]


@ON_SQLITE
def test_comparing_one_is_told_too(shop: Shop) -> None:
    (token,) = decoys(shop, "phone", "13800138000")
    compared = shop.vault.compare(shop.actor, [token], ["138 0013 8000"], "service")
    assert (compared.matches, compared.errors) == ([True], {})
    assert [one["operation"] for one in alarms(shop)] == ["compare"]


@ON_SQLITE
def test_masks_and_other_views_are_the_values_own(shop: Shop) -> None:
    value = "+8613800138000"
    (real,), (decoy,) = shop.tokenize("phone", value), decoys(shop, "phone", value)
    for view in ("masked", "last4", "fingerprint", "full"):
        one, other = shop.vault.reveal(shop.actor, [real, decoy], "service", view).values  # type: ignore[arg-type]
        assert one == other
    assert len(alarms(shop)) >= 1


def test_nothing_in_replies_rows_or_records_tells_a_decoy_from_others(shop: Shop) -> None:
    value = "+8613800138000"
    (real,), (decoy,) = shop.tokenize("phone", value), decoys(shop, "phone", value)
    one, other = shop.vault.describe(shop.actor, [real, decoy]).tokens
    assert one is not None
    assert other is not None
    assert replace(one, token="", created_at=0) == replace(other, token="", created_at=0)
    assert set(shop.vault.find(shop.actor, "phone", [value]).matches[0] or ()) == {real, decoy}
    assert {shown.token for shown in shop.vault.list_tokens(shop.actor).tokens} == {real, decoy}
    assert alarms(shop) == []  # looking is not touching
    with shop.resources.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM token").mappings().all()
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id").scalars().all()
    own = {"bucket", "token", "sealed", "index_bucket", "digest", "created_at", "epoch"}
    assert len({str({name: row[name] for name in row if name not in own}) for row in rows}) == 1
    assert len({len(row["sealed"]) for row in rows}) == 1
    made = [
        record for record in (leaf.decode(bytes(one)) for one in leaves) if record.operation == "tokenize"
    ]
    assert len(made) == 2
    assert not [one for one in leaves if b"decoy" in bytes(one)]


def test_a_new_key_keeps_the_mark_and_the_index(shop: Shop) -> None:
    value = "+8613800138000"
    (decoy,) = decoys(shop, "phone", value)
    for purpose in ("seal", "index"):
        job = shop.vault.rotate_keyset(shop.actor, purpose)
        for _ in range(50):
            if kinds.work(shop.resources, "test", lambda: False, lambda _: None) is None:
                break
        assert shop.vault.job(shop.actor, job.id).state == "done"
        shop.resources.keyring.reload(shop.actor.tenant)
    assert shop.vault.find(shop.actor, "phone", [value]).matches == [[decoy]]
    assert shop.plain(decoy) == [value]
    assert len(alarms(shop)) == 1


@ON_SQLITE
def test_the_caller_is_frozen_where_the_policy_says_so(shop: Shop) -> None:
    freezing(shop)
    (decoy,) = decoys(shop, "iban")
    (real,) = shop.tokenize("phone", "13800138000")
    thief = replace(shop.actor, name="key_thief")
    Standing(shop.resources).require(thief)
    values = shop.vault.reveal(thief, [real, decoy], "service", "full").values
    assert values[0] == "+8613800138000"
    assert values[1] is not None  # plausible: nobody is warned by the reply
    with pytest.raises(CallerFrozen):
        Standing(shop.resources).require(thief)
    Standing(shop.resources).require(shop.actor)


@ON_SQLITE
def test_what_cannot_be_a_decoy(shop: Shop) -> None:
    make = shop.vault.governance.make_decoys
    for count, values, spec in (
        (0, None, Spec()), (101, None, Spec()), (1, [], Spec()), (1, ["13800138000"] * 101, Spec()),
        (1, None, Spec(deterministic=True)), (1, None, Spec(kind="one_way")),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest):
            make(shop.actor, "phone", count, values, spec)
    with pytest.raises(InvalidRequest):
        make(shop.actor, "login_record")
    with pytest.raises(FieldNotGranted):
        make(limited(shop.actor, "email"), "phone")


@ON_SQLITE
def test_a_person_may_seem_to_own_it(shop: Shop) -> None:
    made = shop.vault.governance.make_decoys(shop.actor, "phone", 2, subjects=["customer-1", "customer-2"])
    assert len(shop.vault.list_tokens(shop.actor, subject="customer-1").tokens) == 1
    shop.vault.erase(shop.actor, "customer-1")
    values = shop.vault.reveal(shop.actor, made.tokens, "service").values
    assert [value is None for value in values] == [True, False]
