"""Whether the newest state that can be restored is young enough."""

from __future__ import annotations

from vault.recovery.checks.scratch import Found, Scratch

AHEAD = 300_000_000  # microseconds that the service's clock may be ahead of the drill host's


def check(scratch: Scratch, oldest: float) -> Found:
    """Hold the state's age against the seconds that it may have at most."""
    age = scratch.begun_at - scratch.data[-1].taken_at
    if age > oldest * 1e6:
        return Found(1, 1, "backup_too_old")
    return Found(1, 1, "clocks_differ") if age < -AHEAD else Found(1)
