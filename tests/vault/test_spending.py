"""Budgets and sweeps: counted in the commit that serves, told of once, and never got past side by side."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from vault import sweeping
from vault.columns import Actor
from vault.errors import BudgetExceeded, SlowedDown
from vault.policy.model import Budget, Sweep
from vault.spending import spend
from vault.standing import KEPT_SECONDS, Standing
from vault.store.database import Database
from vault.store.writer import Transaction

MINUTE, HOUR, DAY = 60, 3_600, 86_400
NIGHT = 1_900_000_000 // DAY * DAY  # midnight of a day to come


@pytest.fixture(autouse=True)
def _at_midnight(shop: Shop) -> None:
    shop.later(NIGHT - shop.resources.database.clock() + 0.5)


def spent(shop: Shop, budget: Budget, values: int, actor: Actor | None = None) -> None:
    keys, who = shop.resources.keyring.keys(shop.actor.tenant), actor or shop.actor
    shop.resources.database.write(lambda t: spend(t, keys, who, budget, values))


def exceeded(shop: Shop, budget: Budget, values: int) -> int:
    with pytest.raises(BudgetExceeded) as raised:
        spent(shop, budget, values)
    return raised.value.retry_after


def alarms(shop: Shop, kind: str) -> list[dict[str, object]]:
    with shop.resources.database.read() as connection:
        found = connection.exec_driver_sql(
            f"SELECT detail FROM alarm WHERE kind = '{kind}' ORDER BY at"
        ).scalars()
        return [json.loads(one) for one in found]


def test_each_window_has_its_budget(shop: Shop) -> None:
    budget = Budget(minute=10, hour=25, day=40)
    spent(shop, budget, 10)
    assert exceeded(shop, budget, 1) == 60
    shop.later(MINUTE)
    spent(shop, budget, 10)
    shop.later(MINUTE)
    assert exceeded(shop, budget, 6) == HOUR - 2 * MINUTE  # nothing of it was counted
    spent(shop, budget, 5)
    shop.later(HOUR)
    spent(shop, budget, 9)
    shop.later(MINUTE)
    assert exceeded(shop, budget, 7) == DAY - HOUR - 3 * MINUTE
    spent(shop, budget, 6)
    shop.later(DAY)
    spent(shop, budget, 10)


@ON_SQLITE
def test_a_budget_is_one_callers(shop: Shop) -> None:
    budget = Budget(hour=5)
    spent(shop, budget, 5)
    exceeded(shop, budget, 1)
    spent(shop, budget, 5, replace(shop.actor, name="key_1"))
    other = shop.resources.keyring.keys(shop.tests.tenant)
    shop.resources.database.write(lambda t: spend(t, other, shop.tests, budget, 5))


def test_the_alarm_comes_once_a_window_and_stands_although_the_request_is_refused(shop: Shop) -> None:
    budget = Budget(hour=5, day=8)
    for _ in range(3):
        exceeded(shop, budget, 6)
    assert alarms(shop, "budget_exceeded") == [{"window": "hour", "limit": 5}]
    shop.later(5 * MINUTE)
    exceeded(shop, budget, 6)
    assert len(alarms(shop, "budget_exceeded")) == 1
    spent(shop, budget, 5)  # the alarm's row is no spending
    shop.later(HOUR)
    exceeded(shop, budget, 6)
    assert len(alarms(shop, "budget_exceeded")) == 2


@ON_SQLITE
def test_where_no_budget_is_set_nothing_is_asked(shop: Shop) -> None:
    keys = shop.resources.keyring.keys(shop.actor.tenant)
    spend(Transaction(None, shop.resources.database.dialect, 0, 0), keys, shop.actor, Budget(), 10**9)  # type: ignore[arg-type]
    sweeping.miss(Transaction(None, shop.resources.database.dialect, 0, 0), keys, shop.actor, Sweep(), 0)  # type: ignore[arg-type]


def test_requests_side_by_side_do_not_get_past_a_budget(shop: Shop, database_url: str) -> None:
    """Not those of two processes either: each has a database of its own here."""
    budget, good, bad = Budget(minute=10, day=20), [], []
    keys = shop.resources.keyring.keys(shop.actor.tenant)
    databases = [
        Database(database_url, shop.resources.database.clock, shop.resources.monotonic) for _ in range(2)
    ]
    start = threading.Barrier(16)

    def ask(number: int) -> None:
        start.wait()
        try:
            databases[number % 2].write(lambda t: spend(t, keys, shop.actor, budget, 1))
            good.append(number)
        except BudgetExceeded:
            bad.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()
    assert (len(good), len(bad)) == (10, 6)


def missed(shop: Shop, sweep: Sweep, misses: int, actor: Actor | None = None) -> None:
    keys, who = shop.resources.keyring.keys(shop.actor.tenant), actor or shop.actor
    shop.resources.database.write(lambda t: sweeping.miss(t, keys, who, sweep, misses))


def wait(shop: Shop, actor: Actor | None = None) -> int:
    try:
        Standing(shop.resources).require(actor or shop.actor)
    except SlowedDown as error:
        return error.retry_after
    return 0


def test_a_sweep_slows_the_caller_down_more_each_time(shop: Shop) -> None:
    sweep = Sweep(misses=100, pause=5)
    missed(shop, sweep, 99)
    assert wait(shop) == 0
    waits = []
    for _ in range(12):
        missed(shop, sweep, 100)
        waits.append(wait(shop))
        shop.later(waits[-1])
        assert wait(shop) == 0
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    shop.later(2 * HOUR)
    missed(shop, sweep, 100)
    assert wait(shop) == 5
    assert wait(shop, replace(shop.actor, name="key_1")) == 0
    assert alarms(shop, "sweep")[-1] == {"misses": 100, "sweeps": 1}


@ON_SQLITE
def test_misses_of_another_minute_do_not_count(shop: Shop) -> None:
    sweep = Sweep(misses=100, pause=5)
    for _ in range(3):
        missed(shop, sweep, 99)
        shop.later(MINUTE)
    assert wait(shop) == 0
    assert alarms(shop, "sweep") == []


@ON_SQLITE
def test_a_clock_set_back_bars_nobody_for_long(shop: Shop) -> None:
    missed(shop, Sweep(misses=1, pause=5), 1)
    shop.later(-DAY)
    assert wait(shop) == 0


@ON_SQLITE
def test_it_is_believed_for_a_second_that_nobody_is_slowed_down(shop: Shop) -> None:
    now = [0.0]
    standing = Standing(replace(shop.resources, monotonic=lambda: now[0]))
    standing.require(shop.actor)
    missed(shop, Sweep(misses=1, pause=5), 1)
    standing.require(shop.actor)
    now[0] += KEPT_SECONDS
    with pytest.raises(SlowedDown):
        standing.require(shop.actor)


def test_what_is_over_is_swept(shop: Shop) -> None:
    spent(shop, Budget(minute=1), 1)
    missed(shop, Sweep(misses=1), 1)
    shop.later(DAY)
    assert shop.maintain()["spending"] == 3
    assert shop.count("spending") == 0
