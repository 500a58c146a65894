"""How long a server may take, and the deadline of one call: it moves only as bytes or names really arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vault.recovery.targets.protocol import TargetFailed

LARGEST = 256 * 1_048_576  # bytes of one file: what a server says it has goes into memory
MOST_FILES = 1_000_000  # in one listing, with whatever else lies there
DEEPEST = 8  # folders below a target's root that are looked into; `layout` has 3
NAME = 1_024  # bytes that a name in a listing counts for


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take.

    Attributes:
        connect: seconds until a connection is there; once more as many until both sides know who the other is.
        call: seconds of a call beside what its bytes take.
        rate: bytes a second that a server must reach at least.
    """

    connect: float = 5.0
    call: float = 10.0
    rate: int = 256 * 1_024


class Deadline:
    """The end of one call: `patience.call` seconds from when it is made, and what its bytes may take."""

    def __init__(self, monotonic: Callable[[], float], patience: Patience) -> None:
        self.patience = patience
        self._monotonic, self._end = monotonic, monotonic() + patience.call

    def left(self) -> float:
        """Return the seconds left, more than 0; TargetFailed, "target_slow", if there are none."""
        left = self._end - self._monotonic()
        if left <= 0:
            raise TargetFailed("target_slow", "the server did not answer in time")
        return left

    def allow(self, size: int) -> None:
        """Give `size` bytes the time that they may take; TargetFailed if no file is as large as that."""
        if not 0 <= size <= LARGEST:
            raise TargetFailed("target_broken", f"a file has at most {LARGEST:,} bytes")
        self._end += size / self.patience.rate


class Listing:
    """What a server names in one listing, counted: none goes on for ever, though each name moves the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._count = deadline, 0

    def hear(self, names: int = 1) -> None:
        """Take so many more names, of files or of anything else.

        TargetFailed: "target_broken" if there are more than MOST_FILES, "target_slow" if they came too late.
        """
        self._deadline.left()
        self._deadline.allow(NAME * names)
        self._count += names
        if self._count > MOST_FILES:
            raise TargetFailed("target_broken", f"more than {MOST_FILES:,} files lie there")
