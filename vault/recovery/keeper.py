"""The keeper of backups: the threads that make and ship them, in the one process that has the lease.

One ships the journal, one makes full and incremental backups and runs errands, one tends the targets, and one renews
the lease. Each has connections of its own to the targets, so that none waits for another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

from keys.errors import KeyProblem
from vault.errors import LeaseLost, VaultError
from vault.recovery.chunking import give_way
from vault.recovery.health import Health
from vault.recovery.holding import RENEW_SECONDS, Holding
from vault.recovery.lanes import Lanes
from vault.recovery.line import Interrupted
from vault.recovery.targets.protocol import Target
from vault.resources import Resources

LOOK = 1.0  # seconds between two looks at what is due


class Keeper:
    """Keeps backups until the process is told to end; any number of processes may have one."""

    def __init__(
        self,
        resources: Resources,
        opened: Callable[[], Sequence[Target]],
        holder: str,
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Keep the backups of `resources`.

        Args:
            opened: returns the targets of the settings, each time with connections of their own.
            holder: names the process in the lease.
            told: whether the process was told to end.
            pause: waits so many seconds, or less if it was.
            failed: hears of what nobody expected; it is tried again.
        """
        self._resources, self._told, self._pause, self._failed = resources, told, pause, failed
        self._holding = Holding(resources, holder)
        self._woken, self._ending = Event(), False
        self._health = Health(resources, resources.backups.targets, self._woken.set)
        self._lanes = Lanes(resources, opened, self._holding, self._health, holder, self._over, failed)
        works = {
            "journal": self._journal,
            "steps": self._steps,
            "tending": self._tending,
            "lease": self._lease,
        }
        self._threads = [
            Thread(target=work, name=f"backups {name}", daemon=True) for name, work in works.items()
        ]

    def start(self) -> None:
        """Begin, if there are any targets."""
        for thread in self._threads if self._resources.backups.targets else ():
            thread.start()

    def join(self) -> None:
        """Wait until what is under way is done or given up, ship what was stored last, give the lease back."""
        for thread in self._threads:
            self._woken.set()
            if thread.is_alive():
                thread.join()
        self._ending = True
        self._guarded(self._lanes.ship)
        self._end()

    def run_once(self) -> None:
        """Make what is due, ship what changed, give the targets what they lack, and return."""
        if self._resources.backups.targets:
            for step in (self._lanes.tend, self._lanes.step, self._lanes.ship, self._lanes.tend):
                self._guarded(step)
        self._end()

    def _over(self) -> bool:
        """Whether work is to end now: not what is shipped last, when all threads have ended."""
        return self._told() and not self._ending

    def _end(self) -> None:
        self._lanes.close()
        with suppress(VaultError):
            self._holding.release()

    def _journal(self) -> None:
        """Ship what changed; of all threads this one does not give way, for it bounds what may be lost."""
        while not self._told():
            begun = self._resources.monotonic()
            well = self._guarded(self._lanes.ship)
            seconds = self._resources.backups.journal if well else LOOK
            self._pause(max(0.0, seconds - (self._resources.monotonic() - begun)))

    def _steps(self) -> None:
        give_way()
        while not self._told():
            self._guarded(self._lanes.errand)
            self._guarded(self._lanes.step)
            self._pause(LOOK)

    def _tending(self) -> None:
        give_way()
        while not self._told():
            if not self._guarded(self._lanes.tend) or not self._lanes.lacking:
                self._woken.wait(LOOK)
                self._woken.clear()

    def _lease(self) -> None:
        while not self._told():
            self._guarded(self._holding.held)
            self._pause(RENEW_SECONDS)

    def _guarded(self, step: Callable[[], object]) -> bool:
        """Do a step; return whether it went well. What can be expected is told by alarms, and tried again."""
        try:
            step()
        except (LeaseLost, Interrupted, VaultError, KeyProblem):
            return False
        except Exception as error:  # noqa: BLE001 - the thread lives on
            self._failed(error)
            return False
        return True
