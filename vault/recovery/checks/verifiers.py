"""Whether every verifier of a password opens, where it lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keys.errors import KeyProblem
from keys.openkeys import TenantKeys
from vault import verifiers
from vault.errors import VaultError
from vault.recovery.checks.scratch import PAGE, Found, Scratch
from vault.store import stale
from vault.store.passwords import Password


def check(scratch: Scratch) -> Found:
    """Open every verifier."""
    checked = bad = 0
    for tenant in scratch.tenants:
        keys = scratch.resources.keyring.keys(tenant.id)
        for rows in _pages(scratch, tenant.id):
            checked += len(rows)
            bad += _closed(keys, rows)
    return Found(checked, bad, "unreadable_value" if bad else "")


def _pages(scratch: Scratch, tenant: int) -> Iterator[Sequence[Password]]:
    after = b""
    while True:
        with scratch.resources.database.read() as connection:
            rows = stale.passwords(connection, tenant, 0, after, PAGE)
        yield rows
        if len(rows) < PAGE:
            return
        after = stale.place_of(rows[-1])


def _closed(keys: TenantKeys, rows: Sequence[Password]) -> int:
    """Return how many of these do not open."""
    try:
        verifiers.open_column(keys, rows)
    except (VaultError, KeyProblem, ValueError):
        if len(rows) == 1:
            return 1
        middle = len(rows) // 2
        return _closed(keys, rows[:middle]) + _closed(keys, rows[middle:])
    return 0
