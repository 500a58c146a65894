"""Copies of records kept elsewhere, held against a log as it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vault.audit.findings import Difference
from vault.audit.merkle import leaf_hashes
from vault.audit.twins import Hashes, Kept


class Copies:
    """A stream of copies, in order of position; one that comes again is passed over.

    Attributes:
        strays: where a record is not its copy, since the last `settle`.
        since: from this position on there are copies of all records up to the first stray.
    """

    def __init__(self, copies: Iterable[tuple[int, bytes]]) -> None:
        self._stream = iter(copies)
        self._held = next(self._stream, None)
        self._run, self._end = (
            0,
            -1,
        )  # where copies of neighbouring positions began, and where they end so far
        self.strays, self.since = Kept(), 0

    def compare(self, first: int, leaves: Sequence[bytes | None], hashes: Hashes) -> None:
        """Look at the copies of these records, which may end before their hashes do."""
        while self._held is not None and self._held[0] < first + len(hashes):
            at, copy = self._held
            if at >= first:
                there = leaves[at - first] if at - first < len(leaves) else None
                self._look(at, copy, None if there is None else hashes[at - first], same=there == copy)
            self._held = next(self._stream, None)

    def rest(self, end: int) -> None:
        """Look at the copies from `end` on, where the log has no records."""
        while self._held is not None:
            if self._held[0] >= end:
                self._look(*self._held, None, same=False)
            self._held = next(self._stream, None)

    def settle(self, right: dict[int, bytes], until: int) -> list[int]:
        """Return which copies are not what was signed, and begin anew.

        Args:
            right: hashes that are signed, where they are not those of the records.
            until: before this position `right` has all of them.
        """
        wrong = [at for at, here, copy in self.strays.first if at < until and copy != right.get(at, here)]
        self.strays = Kept()
        return wrong

    def _look(self, at: int, copy: bytes, here: bytes | None, *, same: bool) -> None:
        if at < self._end:
            return
        if at > self._end:
            self._run = at
        self._end = at + 1
        if not same:
            if not self.strays.first:
                self.since = self._run
            found: Difference = (at, here, leaf_hashes([copy])[0])
            self.strays.add([found])
