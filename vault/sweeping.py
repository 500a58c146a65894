"""Sweeps: a caller that names many tokens that there are not, or guesses values, is slowed down and told of."""

from __future__ import annotations

from keys.openkeys import TenantKeys
from vault.alarms import raise_alarm
from vault.columns import Actor
from vault.policy.model import Sweep
from vault.spending import SECOND, who
from vault.store import spending
from vault.store.spending import Spent, Window
from vault.store.writer import Transaction

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND  # microseconds
BARRED: Window = ("barred", 0)  # the row that counts a caller's sweeps of the last hour
_NOTHING = Spent(0, 0, 0)


def miss(transaction: Transaction, keys: TenantKeys, actor: Actor, sweep: Sweep, misses: int) -> None:
    """Count tokens that are unknown or malformed, and comparisons that were false, of one request; nothing for none.

    With so many in a minute as the policy takes for a sweep, an alarm is raised, and the caller's next requests are
    refused: for `sweep.pause` seconds, twice as long for every further sweep within an hour, an hour at most.
    """
    if not misses:
        return
    minute: Window = ("sweep", transaction.now - transaction.now % MINUTE)
    digest = who(keys, actor)
    held = spending.hold(transaction, actor.tenant, digest, [minute, BARRED])
    amount = held.get(minute, _NOTHING).amount + misses
    counts = {minute: Spent(amount, 0, minute[1] + MINUTE)}
    if amount >= sweep.misses:
        counts[BARRED] = _barred(held.get(BARRED, _NOTHING), sweep, transaction.now)
        raise_alarm(transaction, actor, "sweep", {"misses": amount, "sweeps": counts[BARRED].amount})
    spending.put(transaction, actor.tenant, digest, counts, held)


def left(barred_until: int, now: int) -> int:
    """Return the seconds that a caller still has to wait; none where the clock was set back behind a longer wait."""
    wait = barred_until - now
    return -(-wait // SECOND) if 0 < wait <= HOUR else 0


def _barred(before: Spent, sweep: Sweep, now: int) -> Spent:
    """Return how a caller is barred after one more sweep; those of more than an hour ago are forgotten."""
    recent = before.amount if now < before.expires_at <= now + 2 * HOUR else 0
    pause = min(sweep.pause * SECOND << min(recent, 40), HOUR)
    return Spent(recent + 1, now + pause, now + pause + HOUR)
