"""How backups stand, in numbers and in one word: how old the newest are, what is at risk, which targets are well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from vault.backup.plan import Plan
from vault.recovery.drills import missed
from vault.resources import Resources
from vault.store import catalogue, copies, drills
from vault.store.catalogue import FULL, Backup, Kind
from vault.store.copies import OK

KINDS: tuple[Kind, ...] = ("full", "incremental", "journal")
LOOK = 1.0  # seconds between two looks at the database
LATE_SECONDS, LATE_TIMES = 30.0, 4  # from so long on, or as many journals, what is not shipped is late
MISSING, LATE, UNDRILLED = "backup_missing", "backup_late", "drill_missed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What was read; ages in seconds.

    Attributes:
        ages: of the newest backup of each kind: full, incremental, journal, keyring.
        unshipped: since when what was stored may lie in the database alone; None before the first backup.
        targets: whether each target of the settings takes backups now, by name; one that was never used does.
        drilled: of the newest data that a drill restored; None where there are none.
        state: "ok", or the code of what is wrong; None where no backups are made.
    """

    ages: Mapping[str, float] = field(default_factory=dict)
    unshipped: float | None = None
    targets: Mapping[str, bool] = field(default_factory=dict)
    drilled: float | None = None
    state: str | None = None


class Standings:
    """Reads how backups stand, and keeps it for a second. Thread-safe."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._lock = Lock()
        self._known: tuple[float, Standing] | None = None

    def read(self) -> Standing:
        """Return how backups stand; StoreUnavailable if that cannot be read."""
        if not self._resources.backups.targets:
            return Standing()
        with self._lock:
            now = self._resources.monotonic()
            if self._known is None or now - self._known[0] >= LOOK:
                self._known = now, self._look()
            return self._known[1]

    def _look(self) -> Standing:
        plan, now = self._resources.backups, self._resources.database.now()
        with self._resources.database.read() as connection:
            newest: dict[str, Backup | None] = {
                kind: catalogue.newest(connection, "data", (kind,)) for kind in KINDS
            }
            newest["keyring"] = catalogue.newest(connection, "keyring", FULL)
            shipped, states = copies.shipped(connection), copies.targets(connection)
            restored = drills.newest_drilled(connection)
            passed = drills.drills(connection, 1, passed=True)
            first = catalogue.oldest(connection, "data")
        known = {one.name: one.state == OK for one in states}
        begun = passed[0].begun_at if passed else None if first is None else first.taken_at
        return Standing(
            {kind: _age(one.taken_at, now) for kind, one in newest.items() if one is not None},
            None if shipped is None else _age(shipped, now),
            {name: known.get(name, True) for name in plan.targets},
            None if restored is None else _age(restored.taken_at, now),
            _state(plan, shipped, begun, now),
        )


def late(plan: Plan, shipped: int, now: int) -> bool:
    """Whether it is too long since all that was stored lay at the targets; both times in microseconds."""
    return now - shipped > max(LATE_SECONDS, LATE_TIMES * plan.journal) * 1e6


def _state(plan: Plan, shipped: int | None, drilled: int | None, now: int) -> str:
    if shipped is None:
        return MISSING
    if late(plan, shipped, now):
        return LATE
    return UNDRILLED if missed(plan, drilled, now) else OK


def _age(at: int, now: int) -> float:
    return max(0.0, (now - at) / 1e6)
