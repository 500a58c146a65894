"""Guessing held back: each account and each source waits longer with every failure, whichever process it asks.

An attempt is counted as failed before the password is hashed, and forgiven when it was right: guesses sent side by side
do not get past. SP 800-63B-4, section 3.2.2: no more than 100 consecutive failures on one account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import index
from vault.passwords.limits import DAY, Limits
from vault.store import attempts
from vault.store.attempts import FRESH, NEVER, Standing
from vault.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Guess:
    """One attempt: whom it concerns, as keyed digests.

    Attributes:
        account: of what was named as the login, whether or not there is such a login.
        source: of where it comes from; None if that was not said.
    """

    account: bytes
    source: bytes | None


def guess(keys: TenantKeys, account: bytes, source: str | None) -> Guess:
    """Return the attempt on an account from a source.

    Args:
        source: an IP address. Of IPv6 the network counts, 64 bits: whoever has one address there has them all.
    """
    route, where = keys.primary(Purpose.ROUTE), None
    if source is not None:
        network = ip_network(f"{source}/64", strict=False) if ":" in source else source
        where = index.request_digest(route, keys.tenant, "attempt source", str(network).encode())
    return Guess(index.request_digest(route, keys.tenant, "attempt account", account), where)


def begin(transaction: Transaction, tenant: int, asked: Guess, limits: Limits) -> int:
    """Count an attempt as failed, unless it is barred; return the microseconds to wait, 0 where it is let through.

    NEVER stands for a locked account. What is barred is not counted: waiting is enough.
    """
    who = [asked.account] + ([asked.source] if asked.source else [])
    held = attempts.hold(transaction, tenant, who)
    wait = max(_left(held.get(one, FRESH), transaction.now, limits, one == asked.source) for one in who)
    if wait > 0:
        return wait
    for one in sorted(who):
        failures = held.get(one, FRESH).failures + 1
        standing = _standing(failures, transaction.now, limits, one == asked.source)
        attempts.put(transaction, tenant, one, standing, there=one in held)
    return 0


def forgive(transaction: Transaction, tenant: int, asked: Guess, limits: Limits, *, right: bool) -> None:
    """Take the attempt back: `right`, with all failures of the account before; else it came to nothing."""
    who = [asked.account] + ([asked.source] if asked.source else [])
    held = attempts.hold(transaction, tenant, who)
    if right and asked.account in held:
        attempts.forget(transaction, tenant, asked.account)
    for one in _less(who, held, asked, right=right):
        failures = max(0, held[one].failures - 1)
        standing = _standing(failures, transaction.now, limits, one == asked.source)
        # It was let through, so the wait of those before it was over: the one that stands now is its own.
        standing = replace(standing, barred_until=transaction.now)
        attempts.put(transaction, tenant, one, standing, there=True)


def unlock(transaction: Transaction, tenant: int, account: bytes) -> bool:
    """Forget the failures of an account; return whether there were any."""
    return attempts.forget(transaction, tenant, account)


def _less(who: Sequence[bytes], held: dict[bytes, Standing], asked: Guess, *, right: bool) -> list[bytes]:
    return [one for one in sorted(who) if one in held and not (right and one == asked.account)]


def _left(standing: Standing, now: int, limits: Limits, of_source: bool) -> int:
    """Return microseconds to wait, NEVER of what is locked; none where the clock was set back behind a longer wait."""
    if standing.barred_until == NEVER:
        return NEVER
    longest = limits.source_longest if of_source else limits.longest
    left = standing.barred_until - now
    return left if left <= longest * 1_000_000 else 0


def _standing(failures: int, now: int, limits: Limits, of_source: bool) -> Standing:
    """Return how an account, or a source, stands after so many failures."""
    if of_source:
        until = now + _wait(failures, limits.source_free, limits.source_longest)
        return Standing(failures, until, until + limits.forget * 1_000_000)
    if failures >= limits.lock:
        return Standing(failures, NEVER, NEVER)
    until = now + _wait(failures, limits.free, limits.longest)
    return Standing(failures, until, until + 30 * DAY * 1_000_000)


def _wait(failures: int, free: int, longest: int) -> int:
    """Return microseconds: none while failures are free, then 1 s, doubled with each."""
    if failures < free:
        return 0
    return int(min(longest, 2 ** min(failures - free, 40))) * 1_000_000
