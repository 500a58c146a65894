"""How the targets are, as this process knows it: who failed, and when it is tried again; alarms when that changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from vault.alarms import raise_alarm
from vault.errors import VaultError
from vault.resources import Resources
from vault.store import copies
from vault.store.copies import OK
from vault.store.writer import Transaction

PROBE_SECONDS = 60.0  # between two probes of a target that is well
FIRST_RETRY = 1.0  # seconds after a failure; twice as many after each that follows, at most PROBE_SECONDS


@dataclass(slots=True)
class _Known:
    """What is known of one target; `due` is when it is probed next, in monotonic seconds."""

    code: str = OK
    due: float = float("-inf")
    wait: float = FIRST_RETRY


class Health:
    """The state of each target, for all threads of a process. What is said of one goes into the database at once."""

    def __init__(self, resources: Resources, names: Collection[str], woken: Callable[[], None]) -> None:
        """Args: `woken` is called when a target failed, so that somebody probes it in time."""
        self._resources, self._woken = resources, woken
        self._lock = Lock()
        self._known = {name: _Known() for name in names}

    def well(self) -> set[str]:
        """Return the names of the targets that are used now."""
        with self._lock:
            return {name for name, known in self._known.items() if known.code == OK}

    def due(self) -> list[str]:
        """Return the names of the targets that are to be probed now."""
        now = self._resources.monotonic()
        with self._lock:
            return [name for name, known in self._known.items() if known.due <= now]

    def say(self, name: str, code: str) -> None:
        """Say how a target was found: "ok", or the stable code of what is wrong."""
        now = self._resources.monotonic()
        with self._lock:
            known = self._known[name]
            known.code = code
            known.due = now + (PROBE_SECONDS if code == OK else known.wait)
            known.wait = FIRST_RETRY if code == OK else min(2 * known.wait, PROBE_SECONDS)
        with suppress(VaultError):  # the database is away: said again after the next probe
            self._resources.database.write(lambda transaction: tell(transaction, name, code))
        if code != OK:
            self._woken()


def tell(transaction: Transaction, name: str, code: str) -> None:
    """Write how a target is, and raise an alarm if it was well before, or is well again."""
    before = copies.tell_target(transaction, name, code)
    if code != OK and before in {None, OK}:
        raise_alarm(transaction, None, "backup_target_failed", {"target": name, "code": code}, cause=name)
    elif code == OK and before not in {None, OK}:
        raise_alarm(transaction, None, "backup_target_recovered", {"target": name}, cause=name)
