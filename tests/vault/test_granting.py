"""API keys and their makers: none outlives, outreaches or stands for another person than the one that made it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.vault.conftest import Shop
from tests.vault.enforcing import enforce, records
from vault.columns import Actor, ApiKeyRecord
from vault.errors import PolicyDenied
from vault.store import lineage

ROLES = """
format = 1
[roles.clerk]
label = "Front office"
[[roles.clerk.allow]]
operations = ["describe"]
fields = ["*"]
[roles.head]
label = "Head of the office"
includes = ["clerk"]
[[roles.head.allow]]
operations = ["apikeys"]
[roles.other]
label = "Another office"
[[roles.other.allow]]
operations = ["apikeys"]
[callers]
"key_0" = ["head"]
"key_9" = ["other"]
"""


def of(record: ApiKeyRecord, shop: Shop) -> Actor:
    """Return whoever holds an API key."""
    return replace(shop.actor, name=record.id, roles=frozenset(record.roles))


def made(shop: Shop, actor: Actor, *roles: str, expires_in: int | None = None) -> ApiKeyRecord:
    """Return a new API key that may make others."""
    return shop.vault.create_api_key(actor, "made", ["apikeys"], expires_in=expires_in, roles=roles)[0]


def test_a_key_ends_with_the_one_that_made_it(shop: Shop) -> None:
    short = made(shop, shop.actor, expires_in=100)
    shop.later(50)
    for asked in (None, 1_000):
        assert made(shop, of(short, shop), expires_in=asked).expires_at == short.expires_at
    sooner = made(shop, of(short, shop), expires_in=10)
    assert sooner.expires_at is not None
    assert short.expires_at is not None
    assert sooner.expires_at < short.expires_at
    turned, _ = shop.vault.rotate_api_key(of(short, shop), short.id, 1_000)
    assert turned.expires_at == short.expires_at  # by its own hand, none lives longer
    anew, _ = shop.vault.rotate_api_key(shop.actor, turned.id, 0)
    assert anew.expires_at is not None
    assert anew.expires_at > short.expires_at


def test_roles_are_given_by_those_who_have_them(shop: Shop) -> None:
    enforce(shop, ROLES)
    with pytest.raises(PolicyDenied):
        made(shop, shop.actor, "other")
    with pytest.raises(PolicyDenied):
        made(shop, shop.actor, "nobody")
    key = made(shop, shop.actor, "head", "clerk")  # what a role includes may be given, too
    assert (key.roles, key.made_by) == (("clerk", "head"), "key_0")
    assert made(shop, of(key, shop), "clerk").roles == ("clerk",)
    stranger = replace(shop.actor, name="key_9")
    with pytest.raises(PolicyDenied):
        shop.vault.rotate_api_key(stranger, key.id, 0)
    assert [one.result for one in records(shop, "rotate_api_key", stranger)] == ["policy_denied"]
    turned, _ = shop.vault.rotate_api_key(of(key, shop), key.id, 60)
    assert (turned.roles, turned.made_by) == (key.roles, f"{key.id} {key.id}")
    told = records(shop, "create_api_key")
    assert [one.result for one in told] == ["policy_denied", "policy_denied", "ok"]
    assert told[-1].target == key.id


def test_a_rotation_makes_nobody_a_second_person(shop: Shop) -> None:
    key, helper = made(shop, shop.actor), made(shop, shop.actor)
    own, _ = shop.vault.rotate_api_key(of(key, shop), key.id, 60)
    given, _ = shop.vault.rotate_api_key(of(helper, shop), own.id, 60)
    with shop.resources.database.read() as connection:
        everybody = lineage.read(connection, shop.actor.tenant, shop.resources.database.now())
    for one in (key, own, helper):
        assert everybody.related(one.id, given.id), one
    assert everybody.related(shop.actor.name, given.id)
    assert not everybody.related(key.id, helper.id)  # two whom one made are two


def test_a_rotated_key_stands_for_whom_the_one_before_it_made(shop: Shop) -> None:
    key = made(shop, shop.actor)
    helper = made(shop, of(key, shop))
    one, other = (shop.vault.rotate_api_key(of(key, shop), key.id, 60)[0] for _ in range(2))
    late, later = made(shop, of(one, shop)), made(shop, of(key, shop))
    turned, _ = shop.vault.rotate_api_key(of(helper, shop), helper.id, 60)
    with shop.resources.database.read() as connection:
        everybody = lineage.read(connection, shop.actor.tenant, shop.resources.database.now())
    whole = (key, one, other)
    for mine in whole:
        for made_one in (*whole, helper, late, later, turned):
            assert everybody.related(mine.id, made_one.id), (mine, made_one)
            assert everybody.related(made_one.id, mine.id), (mine, made_one)
    assert everybody.related(helper.id, turned.id)
    for stranger in (late, later):
        assert not everybody.related(stranger.id, turned.id)


def test_what_is_done_to_a_key_names_it(shop: Shop) -> None:
    key = made(shop, shop.actor)
    new, _ = shop.vault.rotate_api_key(shop.actor, key.id, 60)
    shop.vault.revoke_api_key(shop.actor, new.id)
    told = [(one.operation, one.target) for one in records(shop)]
    assert told == [("create_api_key", key.id), ("rotate_api_key", new.id), ("revoke_api_key", new.id)]
    job = shop.vault.rotate_keyset(shop.actor, "seal")
    shop.vault.cancel_job(shop.actor, job.id)
    told = [(one.operation, one.target) for one in records(shop)][3:]
    assert told == [("start_rotate_keyset", "seal"), ("cancel_job", job.id)]
