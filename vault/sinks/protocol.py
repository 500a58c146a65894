"""What a sink is: any class with these names in it satisfies `Sink`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

LONGEST_RECORD = 1_048_576  # bytes of a leaf that every sink must take
PATIENCE = (
    0.9  # seconds that a sink gives a disk or a peer; with what is around it, all of it ends within 1.5
)

CODES = (
    "sink_altered", "sink_broken", "sink_differs", "sink_full", "sink_no_folder", "sink_no_reader", "sink_no_receipt",
    "sink_not_a_file", "sink_permission", "sink_read_only", "sink_refused", "sink_removed", "sink_renamed",
    "sink_replaced", "sink_slow", "sink_stalled", "sink_too_long", "sink_truncated", "sink_unreachable",
    "sink_untrusted",
)  # fmt: skip


class SinkFailed(Exception):
    """The sink did not take it, or is not what it was; `code` is stable and safe to show, the text holds no record."""

    def __init__(self, code: str, reason: str) -> None:
        if code not in CODES:
            raise ValueError(f"{code} is no code of a sink")
        super().__init__(reason)
        self.code = code


class ProofNeeded(SinkFailed):
    """A witness has cosigned another size than the proof begins at; `size` is that one."""

    def __init__(self, size: int) -> None:
        super().__init__("sink_differs", "the witness knows another checkpoint")
        self.size = size


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it lies in the tree."""

    position: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """New entries of one tenant's log, in order, and the signed checkpoint that covers them.

    Attributes:
        origin: the log's name, as the checkpoint's first line has it.
        entries: may be empty: a checkpoint alone.
        size: leaves that the checkpoint covers.
        note: the signed checkpoint; "" where there is none yet.
        proof: the consistency proof from `proved_from` leaves to `size`, for sinks that check it.
        proved_from: the size of the last checkpoint that this sink took; 0 for none.
    """

    tenant: int
    log: int
    origin: str
    entries: Sequence[Entry]
    size: int
    note: str
    proved_from: int = 0
    proof: Sequence[bytes] = ()


class Sink(Protocol):
    """A place outside. One thread uses it."""

    @property
    def name(self) -> str:
        """Its name in settings, alarms and metrics: a kind and where it is, never a secret."""

    @property
    def holds_records(self) -> bool:
        """Whether it keeps records, and not checkpoints alone."""

    def deliver(self, batch: Batch) -> str:
        """Return once everything is durable there; the same batch may come again. Ends within 1.5 seconds.

        Returns "", or the note with a signature that the place has added.
        Raises SinkFailed if it is not.
        """

    def probe(self) -> None:
        """Return if it would take a batch now, and still holds what it took. Ends within 1.5 seconds.

        Raises SinkFailed if not.
        """

    def restart_from(self, origin: str) -> int | None:
        """Return the position behind the last record of the log that it still holds, 0 for none; None if it can't tell.

        What lies from there on is delivered anew, though it was taken before: it is gone.
        """

    def close(self) -> None:
        """Let go of files and connections."""
