"""When to try again: rarely, after a while, and never so that the work is done twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock


class Repeat(Enum):
    """What a call allows."""

    SAFE = "it may run twice: it reads, or it carries an Idempotency-Key"
    UNDONE = "only while the server cannot have seen it, or says that it did nothing of it"
    UNSENT = "only while the server cannot have seen it"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how fast one call is tried again.

    Attributes:
        attempts: tries of one call, the first included; 1 for no retry.
        first_wait, longest_wait: seconds; the wait doubles between them, and a random part of it is waited
            ("full jitter"), so that clients which failed together do not return together.
        budget: retries that all calls of the client share; ten calls that succeed earn one back. A server
            that is down gets little more than its usual load.
        sleep, draw: the clock and the dice; draw(limit) returns 0 to limit.
    """

    attempts: int = 4
    first_wait: float = 0.2
    longest_wait: float = 3.0
    budget: int = 20
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    draw: Callable[[float], float] = field(default=lambda limit: random.uniform(0.0, limit), repr=False)  # noqa: S311

    def wait(self, attempt: int, asked: float | None) -> float | None:
        """Return the seconds to wait before the next try, None if there is none.

        Args:
            attempt: tries made so far, from 1.
            asked: seconds the server asked for (Retry-After); a longer wait than ours is not waited at all.
        """
        if attempt >= self.attempts or (asked is not None and asked > self.longest_wait):
            return None
        return max(self.draw(min(self.longest_wait, self.first_wait * 2 ** (attempt - 1))), asked or 0.0)


class Budget:
    """The retries that the calls of one client share; thread-safe."""

    EARNED = 0.1  # a call that succeeds

    def __init__(self, limit: int) -> None:
        self._limit, self._left, self._lock = float(limit), float(limit), Lock()

    def earn(self) -> None:
        """Add what a call that succeeded is worth."""
        with self._lock:
            self._left = min(self._limit, self._left + self.EARNED)

    def spend(self) -> bool:
        """Take one retry out; False if none is left."""
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True
