"""After a failure, nobody tries for a moment, and then one does: threads do not pile up before a Vault that is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from keys.errors import KeyProblem, RootLoginRefused, RootUnavailable, RootUntrusted

PAUSE_SECONDS = 1.0
TRIPS = (RootUnavailable, RootLoginRefused, RootUntrusted)


class Breaker:
    """Repeats the last failure for a second instead of asking again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._problem: tuple[type[KeyProblem], str] | None = None
        self._until = 0.0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Run the body, or raise what the last one failed with; one thread at a time tries again."""
        self._enter()
        try:
            yield
        except TRIPS as problem:
            self._note((type(problem), str(problem)), self._clock() + PAUSE_SECONDS)
            raise
        except TimeoutError:
            self._note((RootUnavailable, "Vault did not answer in time"), self._clock() + PAUSE_SECONDS)
            raise
        except BaseException:
            self._note(None, 0.0)  # it answered
            raise
        self._note(None, 0.0)

    def _enter(self) -> None:
        with self._lock:
            if self._problem is None:
                return
            kind, text = self._problem
            if self._clock() >= self._until:
                self._until = self._clock() + 3 * PAUSE_SECONDS  # while this thread tries
                return
        raise kind(text)

    def _note(self, problem: tuple[type[KeyProblem], str] | None, until: float) -> None:
        with self._lock:
            self._problem, self._until = problem, until
