"""Callers frozen and let again: by others, never by themselves or by a key that they made."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from vault import decoys, freezing
from vault.columns import Actor
from vault.errors import CallerFrozen, InvalidRequest, SelfApproval, UnknownCaller
from vault.standing import KEPT_SECONDS, Standing
from vault.store import frozen


def caller(shop: Shop, maker: str | None = None) -> Actor:
    """Return somebody with an API key of their own, made by `maker`."""
    record, _ = shop.vault.create_api_key(shop.actor, "somebody", ["reveal"])
    with shop.resources.database.engine.begin() as connection:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        connection.exec_driver_sql(
            f"UPDATE api_key SET made_by = {mark} WHERE id = {mark}", (maker, record.id)
        )
    return replace(shop.actor, name=record.id)


def freeze(shop: Shop, who: Actor, name: str) -> bool:
    keys = shop.resources.keyring.keys(who.tenant)
    return shop.resources.database.write(lambda t: freezing.freeze(t, keys, who, name, "suspect"))


def unfreeze(shop: Shop, who: Actor, name: str) -> None:
    keys = shop.resources.keyring.keys(who.tenant)
    shop.resources.database.write(lambda t: freezing.unfreeze(t, keys, who, name))


def is_frozen(shop: Shop, who: Actor) -> bool:
    try:
        Standing(shop.resources).require(who)
    except CallerFrozen:
        return True
    return False


def test_a_frozen_caller_is_let_again_by_another(shop: Shop) -> None:
    ann, bob = caller(shop), caller(shop)
    assert freeze(shop, bob, ann.name)
    assert not freeze(shop, bob, ann.name)  # once
    assert is_frozen(shop, ann)
    assert not is_frozen(shop, bob)
    assert not is_frozen(shop, replace(ann, tenant=shop.tests.tenant))
    with shop.resources.database.read() as connection:
        (one,) = frozen.all_of(connection, ann.tenant)
    assert (one.caller, one.reason, one.frozen_by) == (ann.name, "suspect", bob.name)
    unfreeze(shop, bob, ann.name)
    assert not is_frozen(shop, ann)
    with pytest.raises(UnknownCaller):
        unfreeze(shop, bob, ann.name)
    assert shop.count("alarm WHERE kind = 'caller_frozen'") == 1


@ON_SQLITE
def test_nobody_lets_themselves_again(shop: Shop) -> None:
    ann = caller(shop)
    child = caller(shop, maker=ann.name)
    grandchild = caller(shop, maker=child.name)
    freeze(shop, caller(shop), ann.name)
    for who in (ann, child, grandchild):
        with pytest.raises(SelfApproval):
            unfreeze(shop, who, ann.name)
    freeze(shop, ann, grandchild.name)
    unfreeze(shop, ann, grandchild.name)  # its maker may, and is not it
    assert is_frozen(shop, ann)


@ON_SQLITE
def test_a_rotation_gets_nobody_out(shop: Shop) -> None:
    ann, bob, eve = caller(shop), caller(shop), caller(shop)
    before, _ = shop.vault.rotate_api_key(ann, ann.name, 1_000)
    freeze(shop, bob, ann.name)
    after, _ = shop.vault.rotate_api_key(eve, ann.name, 1_000)
    whole = [ann, *(replace(ann, name=record.id) for record in (before, after))]
    for who in whole:
        assert is_frozen(shop, who), who.name
        with pytest.raises(SelfApproval):
            unfreeze(shop, who, ann.name)
    assert not is_frozen(shop, eve)
    unfreeze(shop, bob, ann.name)
    assert not any(is_frozen(shop, who) for who in whole)
    freeze(shop, bob, after.id)
    assert all(is_frozen(shop, who) for who in whole)
    with pytest.raises(SelfApproval):
        unfreeze(shop, ann, after.id)  # the old key, in the overlap


@ON_SQLITE
def test_it_is_believed_for_a_second_that_nobody_is_frozen(shop: Shop) -> None:
    now = [0.0]
    standing = Standing(replace(shop.resources, monotonic=lambda: now[0]))
    ann = caller(shop)
    standing.require(ann)
    freeze(shop, caller(shop), ann.name)
    standing.require(ann)
    now[0] += KEPT_SECONDS
    with pytest.raises(CallerFrozen):
        standing.require(ann)
    standing.forget()
    with pytest.raises(CallerFrozen):
        standing.require(ann)


@ON_SQLITE
def test_who_touches_a_decoy_is_told_of_and_frozen_where_the_policy_says_so(shop: Shop) -> None:
    ann, bob = caller(shop), caller(shop)
    keys = shop.resources.keyring.keys(ann.tenant)
    for who, stop, fields in (
        (ann, True, ["phone", "iban", "phone"]),
        (bob, False, ["iban"]),
        (bob, True, []),
    ):
        shop.resources.database.write(
            lambda t, who=who, stop=stop, fields=fields: decoys.touched(
                t, keys, who, "reveal", fields, purpose="risk", stop=stop
            )
        )
    assert (is_frozen(shop, ann), is_frozen(shop, bob)) == (True, False)
    with shop.resources.database.read() as connection:
        (one,) = frozen.all_of(connection, ann.tenant)
        query = "SELECT caller, detail FROM alarm WHERE kind = 'decoy_revealed' ORDER BY at"
        told = [(who, json.loads(detail)) for who, detail in connection.exec_driver_sql(query)]
    assert (one.frozen_by, one.reason) == ("policy", "decoy_revealed")
    assert told == [
        (ann.name, {"operation": "reveal", "fields": "iban phone", "purpose": "risk", "decoys": 3}),
        (bob.name, {"operation": "reveal", "fields": "iban", "purpose": "risk", "decoys": 1}),
    ]


@pytest.mark.parametrize("name", ["key_\0", "key_\ud800", "", "k" * 513])
def test_what_is_no_callers_name_is_not_frozen(shop: Shop, name: str) -> None:
    with pytest.raises(UnknownCaller):
        unfreeze(shop, shop.actor, name)


@pytest.mark.parametrize("name", ["", " key_0", "key\n0", "k" * 513, "key_\u202e0"])
def test_what_is_no_callers_name(name: str) -> None:
    with pytest.raises(InvalidRequest):
        freezing.checked(name, "suspect")


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * 201, "<b>"])
def test_what_is_no_reason(reason: str) -> None:
    with pytest.raises(InvalidRequest):
        freezing.checked("key_0", reason)
