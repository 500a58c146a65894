"""One limit in time for all that an operation does, retries included, down to each read of a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_now = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give what this thread does inside `seconds` (monotonic) in all; an outer limit stays in force."""
    if getattr(_now, "ends", None) is not None:
        yield
        return
    _now.ends = time.monotonic() + seconds
    try:
        yield
    finally:
        _now.ends = None


def left() -> float:
    """Return the seconds that are left; raise TimeoutError if none are, or if no limit was set."""
    ends = getattr(_now, "ends", None)
    seconds: float = ends - time.monotonic() if ends is not None else 0.0
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds
