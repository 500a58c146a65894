"""The worker's hands: a thread that takes one waiting job after the other and carries it out."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from vault.resources import Resources
from vault.rotate import kinds

LOOK = 1.0  # seconds between two looks at whether a job waits


class Jobs:
    """Works through jobs until the process is told to end; any number of processes may do so."""

    def __init__(
        self,
        resources: Resources,
        holder: str,
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Work on `resources`.

        Args:
            holder: names the process in a job's lease.
            told: whether the process was told to end.
            pause: waits so many seconds, or less if it was.
            failed: hears of what nobody expected; the job waits, and is taken again when its lease is over.
        """
        self._resources, self._holder = resources, holder
        self._told, self._pause, self._failed = told, pause, failed
        self._thread = Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the step under way is done."""
        self._thread.join()

    def run_once(self) -> None:
        """Carry out what waits, and return."""
        while not self._told() and self._one():
            pass

    def _work(self) -> None:
        while not self._told():
            if not self._one():
                self._pause(LOOK)

    def _one(self) -> bool:
        """Carry out one job; return whether there was any."""
        try:
            return kinds.work(self._resources, self._holder, self._told, self._pause) is not None
        except Exception as error:  # noqa: BLE001 - the thread lives on
            self._failed(error)
            return False
