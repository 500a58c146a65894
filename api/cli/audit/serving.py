"""A log as the service tells it: records, tiles and checkpoints, none of which is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from strongroom_client import NotFound

from vault.audit import checkpoints, merkle, notes, tiles
from vault.audit.evidence import Batch
from vault.audit.faults import AuditFault

if TYPE_CHECKING:
    from strongroom_client import AuditStatus, Client


class Served:
    """One log of the service.

    Attributes:
        status: as it was told after the checkpoints that are in `ahead`.
    """

    def __init__(self, client: Client, log: int | None) -> None:
        """Ask for a log, the newest for None; raise NotFound if there is none of that number."""
        self._client = client
        # Those of before count though they are of more records than the log then has: its end is gone.
        number = log if log is not None else client.audit_status().log
        before = [*client.audit_checkpoints(log=number)] if number else []
        self.status: AuditStatus = client.audit_status(number or None)
        known = max((size_of(note) for note in before), default=0)
        since = client.audit_checkpoints(log=number, after=known) if number else ()
        self.notes = [*before, *(note for note in since if size_of(note) <= self.status.size)]
        self.first: bytes | None = None  # the record at position 0, once it was read

    def batches(self, first: int) -> Iterator[Batch]:
        """Yield the records from `first` on, with the hashes of the tiles."""
        asked = self._client.audit_leaves(log=self.status.log, first=first, end=self.status.size)
        for part in asked:
            if part.first == 0:
                self.first = part.leaves[0]
            yield Batch(part.first, part.leaves, b"".join(part.hashes))

    def frontier(self) -> list[bytes]:
        """Return the tree's right edge where its archived records end; raise TileDamaged if it is not there."""
        dropped = self.status.dropped
        return tiles.nodes(dropped, self._read)(merkle.complete(0, dropped))

    def _read(self, places: Sequence[tiles.Place]) -> Mapping[tiles.Place, bytes]:
        found: dict[tiles.Place, bytes] = {}
        for level, number in places:
            try:
                packed = b"".join(self._client.audit_tile(level, number, log=self.status.log))
            except NotFound:
                continue
            found[level, number] = packed
        return found


def size_of(note: str) -> int:
    """Return how many records a checkpoint says it covers; 0 if it is none, which its examination will tell."""
    try:
        return checkpoints.read(notes.parse(note).text).size
    except AuditFault:
        return 0
