"""Whether rows fit together: tokens with their index, persons and tenants, and none that was deleted."""

from __future__ import annotations

from vault.recovery.checks.scratch import Found, Scratch
from vault.store import examining


def check(scratch: Scratch) -> Found:
    """Count tokens, and what does not fit."""
    with scratch.resources.database.read() as connection:
        tokens = examining.count(connection, "token")
        wrong = examining.misfits(connection)
    return Found(tokens, sum(wrong.values()), next(iter(wrong), ""))
