"""How long each phase of a restore takes, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int], None]  # a phase, and how many rows of how many are done

PHASES = ("choose", "keyring", "data", "index", "check", "settle")


class Watch:
    """Measures phases, and tells whoever watches.

    Attributes:
        phases: seconds of each of `PHASES`.
    """

    def __init__(self, monotonic: Callable[[], float], progress: Progress) -> None:
        self._monotonic, self._progress = monotonic, progress
        self._name, self._done, self._total = "", 0, 0
        self.phases = dict.fromkeys(PHASES, 0.0)

    @contextmanager
    def phase(self, name: str, total: int = 0) -> Iterator[None]:
        """Measure what is done inside; `total`: rows that there are to do."""
        begun, within = self._monotonic(), self.phases["index"]
        self._name, self._done, self._total = name, 0, total
        self._progress(name, 0, total)
        try:
            yield
        finally:
            self.phases[name] += self._monotonic() - begun - (self.phases["index"] - within)

    @contextmanager
    def indexing(self) -> Iterator[None]:
        """Count what is done inside as work on the index, whatever the phase."""
        begun = self._monotonic()
        try:
            yield
        finally:
            self.phases["index"] += self._monotonic() - begun

    def done(self, rows: int) -> None:
        """Say that so many more rows of the phase are done."""
        self._done += rows
        self._progress(self._name, self._done, self._total)
