"""Budgets: how many values a caller may reveal a minute, hour and day (UTC), counted in the commit that serves it."""

from __future__ import annotations

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index
from vault.alarms import raise_alarm
from vault.columns import Actor
from vault.errors import BudgetExceeded
from vault.policy.model import Budget
from vault.store import spending
from vault.store.spending import Spent, Window
from vault.store.writer import Refused, Transaction

SECOND = 1_000_000  # microseconds
LENGTHS = {"minute": 60 * SECOND, "hour": 3_600 * SECOND, "day": 86_400 * SECOND}
_NOTHING = Spent(0, 0, 0)


def spend(transaction: Transaction, keys: TenantKeys, actor: Actor, budget: Budget, values: int) -> None:
    """Count values that a caller is about to see, in view `full` or `last4`; asks nothing where no budget is set.

    Call it when nothing else of the request can be refused any more.

    Raises Refused with BudgetExceeded where that would be more than it may: nothing is counted, and an alarm is raised,
    once a window, which stands with whatever else was written. Its caller writes the audit record of the refusal.
    """
    limits = {name: limit for name in LENGTHS if (limit := getattr(budget, name)) is not None}
    if not limits or not values:
        return
    digest = who(keys, actor)
    windows = {name: (name, _start(name, transaction.now)) for name in limits}
    held = spending.hold(transaction, actor.tenant, digest, list(windows.values()))
    over = {
        name: window
        for name, window in windows.items()
        if held.get(window, _NOTHING).amount + values > limits[name]
    }
    if over:
        _alarm(transaction, actor, digest, limits, over, held)
        raise Refused(_exceeded(limits, over, values, transaction.now))
    counts = {
        window: Spent(held.get(window, _NOTHING).amount + values, 0, window[1] + LENGTHS[name])
        for name, window in windows.items()
    }
    spending.put(transaction, actor.tenant, digest, counts, held)


def who(keys: TenantKeys, actor: Actor) -> bytes:
    """Return what stands for a caller in the table: 16 bytes, keyed."""
    route = keys.primary(Purpose.ROUTE)
    return index.request_digest(route, actor.tenant, "spending", actor.name.encode())


def _start(name: str, now: int) -> int:
    return now - now % LENGTHS[name]


def _alarm(
    transaction: Transaction, actor: Actor, digest: bytes, limits: dict[str, int], over: dict[str, Window],
    held: dict[Window, Spent],
) -> None:  # fmt: skip
    """Raise the alarm of each window that is used up and has had none yet."""
    for name, window in over.items():
        spent, end = held.get(window, _NOTHING), window[1] + LENGTHS[name]
        if spent.barred_until < end:
            raise_alarm(transaction, actor, "budget_exceeded", {"window": name, "limit": limits[name]})
            noted = {window: Spent(spent.amount, end, end)}
            spending.put(transaction, actor.tenant, digest, noted, held)


def _exceeded(limits: dict[str, int], over: dict[str, Window], values: int, now: int) -> BudgetExceeded:
    ends = {name: window[1] + LENGTHS[name] for name, window in over.items()}
    longest = max(ends, key=lambda name: ends[name])
    reason = f"the caller may reveal {limits[longest]:,} values a {longest}"
    if values > limits[longest]:
        reason += f", and the request asks for {values:,}"
    return BudgetExceeded(reason, -(-(ends[longest] - now) // SECOND))
