"""No door opens while no place outside of the database takes the audit's records."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from vault.errors import AuditUnavailable
from vault.store import audithealth
from vault.store.audithealth import OK, OUTSIDE, SEALER
from vault.store.database import Database

PAUSED = AuditUnavailable.code
FRESH_SECONDS = 10.0  # a state that was said longer ago says nothing of now
SEALER_SECONDS = 30.0  # as much for the sealer, which says it between two batches, and one may be large
SKEW_SECONDS = 2.0  # that another machine's clock may be ahead
LOOK = 0.4  # seconds that a process believes what it read


def is_fresh(seen_at: int, now: int, seconds: float = FRESH_SECONDS) -> bool:
    """Whether what was said at `seen_at` is still true `now` (microseconds): of late, and not of a future.

    A clock that was set back makes everything that was said before into something of the future, which is not believed.
    """
    return -SKEW_SECONDS * 1e6 <= now - seen_at <= seconds * 1e6


class Gate(Protocol):
    """Whether requests may be served."""

    def require(self) -> None:
        """Raise AuditUnavailable unless they may."""

    def state(self) -> str:
        """Return "ok", or the stable code of why not."""


class OpenGate:
    """Where no place outside is expected to take records."""

    def require(self) -> None:
        """Let everybody pass."""

    def state(self) -> str:
        """Return "ok"."""
        return OK


class AuditGate:
    """Opens while a place outside takes records; reads the database every LOOK seconds at most. Thread-safe."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database, self._monotonic = database, monotonic
        self._lock = threading.Lock()
        self._known: tuple[float, str] | None = None

    def require(self) -> None:
        """Raise AuditUnavailable unless records are taken outside; StoreUnavailable if that cannot be read."""
        if self.state() != OK:
            raise AuditUnavailable("the audit's records are taken nowhere outside now")

    def state(self) -> str:
        """Return "ok", or `audit_unavailable`."""
        with self._lock:
            now = self._monotonic()
            if self._known is None or now - self._known[0] > LOOK:
                self._known = now, self._look()
            return self._known[1]

    def _look(self) -> str:
        """Return the state, which the sealer must keep up, too: what nobody seals is taken nowhere outside."""
        with self._database.read() as connection:
            known = {one.name: one for one in audithealth.states(connection)}
        now, found, sealer = self._database.now(), known.get(OUTSIDE), known.get(SEALER)
        if found is None or not is_fresh(found.seen_at, now):
            return PAUSED
        if sealer is not None and not is_fresh(sealer.seen_at, now, SEALER_SECONDS):
            return PAUSED
        return found.state
