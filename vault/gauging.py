"""How the audit stands, in numbers: alarms by kind, which sinks are well, how long records wait to be sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from vault.gatekeeping import is_fresh
from vault.resources import Resources
from vault.store import alarms, audithealth, auditlog
from vault.store.audithealth import OK, OUTSIDE, SEALER

LOOK = 1.0  # seconds between two looks at the database
FORGOTTEN = 86_400  # seconds after which a sink that nobody speaks of was taken out of the settings


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was read.

    Attributes:
        alarms: how many there are, by kind.
        sinks: whether each works now, by name.
        unsealed: age in seconds of the oldest record that is in no tree yet; 0 where there is none.
    """

    alarms: Mapping[str, int]
    sinks: Mapping[str, bool]
    unsealed: float


class Gauges:
    """Reads the numbers, and keeps them for a second. Thread-safe."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._lock = Lock()
        self._known: tuple[float, Numbers] | None = None

    def read(self) -> Numbers:
        """Return the numbers; StoreUnavailable if they cannot be read."""
        with self._lock:
            now = self._resources.monotonic()
            if self._known is None or now - self._known[0] >= LOOK:
                self._known = now, self._look()
            return self._known[1]

    def _look(self) -> Numbers:
        database = self._resources.database
        with database.read() as connection:
            raised, states = alarms.counts(connection), audithealth.states(connection)
            oldest, now = auditlog.oldest_waiting(connection), database.now()
        sinks = {
            one.name: one.state == OK and is_fresh(one.seen_at, now)
            for one in states
            if one.name not in {SEALER, OUTSIDE} and now - one.seen_at < FORGOTTEN * 1_000_000
        }
        return Numbers(raised, sinks, 0.0 if oldest is None else max(0.0, (now - oldest) / 1e6))
