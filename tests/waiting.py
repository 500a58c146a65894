"""Wait for a thing to happen: long enough for a machine that is busy with something else."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 120.0  # seconds


def until(true: Callable[[], object], seconds: float = LONG) -> None:
    """Return once `true()` holds; fail if it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
