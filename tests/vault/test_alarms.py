"""Alarms: raised with the transaction that found the reason, once a minute, listed and seen to; told to hooks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vault.conftest import Shop, open_shop
from tests.vault.enforcing import enforce, records
from vault.alarming import Alarms
from vault.alarms import KINDS, raise_alarm
from vault.columns import Actor
from vault.errors import InvalidRequest, PolicyDenied, UnknownAlarm
from vault.store.alarms import Alarm


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop on SQLite; `on_both` is on PostgreSQL, too."""
    opened = open_shop(f"sqlite:///{tmp_path}/vault.db")
    yield opened
    opened.vault.close()


@pytest.fixture
def on_both(database_url: str) -> Iterator[Shop]:
    opened = open_shop(database_url)
    yield opened
    opened.vault.close()


def raised(shop: Shop, who: Actor | int | None, kind: str = "sweep", **detail: str | int) -> str:
    return shop.resources.database.write(lambda transaction: raise_alarm(transaction, who, kind, detail))


def alarms(shop: Shop) -> list[Alarm]:
    return Alarms(shop.resources).list(shop.actor).alarms


def test_it_says_who_and_what(shop: Shop) -> None:
    alarm_id = raised(shop, shop.actor, misses=1_000)
    (alarm,) = alarms(shop)
    assert (alarm.id, alarm.business, alarm.mode) == (alarm_id, "shop", "live")
    assert (alarm.kind, alarm.detail) == ("sweep", {"misses": 1_000})
    assert (alarm.caller, alarm.request_id) == (shop.actor.name, shop.actor.request_id)
    assert alarm.at == pytest.approx(shop.resources.database.now(), abs=60e6)


def test_a_storm_is_counted_in_one(on_both: Shop) -> None:
    shop = on_both
    first = raised(shop, shop.actor)
    assert {raised(shop, shop.actor, misses=n) for n in range(9)} == {first}
    assert [alarm.detail for alarm in alarms(shop)] == [{"misses": 8, "count": 10}]
    shop.later(61)
    assert raised(shop, shop.actor) != first


def test_another_caller_kind_or_tenant_is_another_alarm(shop: Shop) -> None:
    others = [replace(shop.actor, name="key_1"), shop.tests, shop.actor.tenant, None]
    assert (
        len(
            {raised(shop, who) for who in (shop.actor, *others)}
            | {raised(shop, shop.actor, "decoy_revealed")}
        )
        == 6
    )


def test_a_clock_set_back_keeps_no_alarm_quiet(shop: Shop) -> None:
    shop.later(3_600)
    early = raised(shop, shop.actor)
    shop.later(-3_600)
    assert raised(shop, shop.actor) != early


def test_a_tenant_sees_its_own_and_those_that_are_nobodys(shop: Shop) -> None:
    mine, theirs, shared = raised(shop, shop.actor), raised(shop, shop.tests), raised(shop, None)
    assert {alarm.id for alarm in alarms(shop)} == {mine, shared}
    with pytest.raises(UnknownAlarm):
        Alarms(shop.resources).acknowledge(shop.actor, theirs)


def test_pages_lose_none_and_repeat_none(on_both: Shop) -> None:
    shop = on_both
    made = [raised(shop, replace(shop.actor, name=f"key_{n}")) for n in range(7)]
    listed, cursor = [], None
    while True:
        page = Alarms(shop.resources).list(shop.actor, cursor, 3)
        listed += [alarm.id for alarm in page.alarms]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(listed) == sorted(made)
    for cursor in ("", "x", "%%%"):
        with pytest.raises(InvalidRequest, match="cursor"):
            Alarms(shop.resources).list(shop.actor, cursor)
    with pytest.raises(InvalidRequest):
        Alarms(shop.resources).list(shop.actor, None, 0)


def test_who_saw_to_it_first_stays_and_is_on_record(shop: Shop) -> None:
    alarm_id, before = raised(shop, shop.actor), shop.count("audit_record")
    seen = Alarms(shop.resources).acknowledge(shop.actor, alarm_id)
    assert seen.acknowledged_by == shop.actor.name
    again = Alarms(shop.resources).acknowledge(replace(shop.actor, name="key_9"), alarm_id)
    assert (again.acknowledged_by, again.acknowledged_at) == (seen.acknowledged_by, seen.acknowledged_at)
    assert shop.count("audit_record") == before + 2


def test_a_kind_that_there_is_not_is_a_mistake_of_ours(shop: Shop) -> None:
    with pytest.raises(ValueError, match="no kind"):
        raised(shop, None, "gossip")


def test_every_kind_is_told_in_a_sentence() -> None:
    assert all(words.endswith(".") and words[0].isupper() for words in KINDS.values())


def test_a_policy_may_keep_alarms_from_a_caller(shop: Shop) -> None:
    enforce(shop, 'format = 1\n[[deny]]\noperations = ["audit"]\n')
    for asked in (
        lambda: shop.vault.alarms.list(shop.actor),
        lambda: shop.vault.alarms.acknowledge(shop.actor, "alm_0"),
    ):
        with pytest.raises(PolicyDenied):
            asked()
    assert [one.result for one in records(shop, "audit")] == ["policy_denied"] * 2


@pytest.mark.parametrize("place", [f"{2**63} alm_0", "-1 alm_0", "1 alm_\0", "1 alm_\u00e4", "1"])
def test_an_odd_cursor_reaches_no_database(shop: Shop, place: str) -> None:
    cursor = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    with pytest.raises(InvalidRequest):
        shop.vault.alarms.list(shop.actor, cursor)
