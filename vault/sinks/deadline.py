"""How long a sink may still take: asked before every step that may wait."""

from __future__ import annotations

from collections.abc import Callable

from vault.sinks.protocol import PATIENCE, SinkFailed


class Deadline:
    """Counts down from the moment it is made."""

    def __init__(
        self, monotonic: Callable[[], float], seconds: float = PATIENCE, code: str = "sink_slow"
    ) -> None:
        """Args: `code` is what it fails with once the time is over."""
        self._monotonic, self._end, self._code = monotonic, monotonic() + seconds, code

    def left(self) -> float:
        """Return the seconds left, more than 0; SinkFailed if there are none."""
        left = self._end - self._monotonic()
        if left <= 0:
            raise SinkFailed(self._code, "it did not end in time")
        return left
