"""What a log is examined with: its records in batches, and what they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vault.audit.notes import Verifier


@dataclass(frozen=True, slots=True)
class Batch:
    """Records at consecutive positions.

    Attributes:
        first: position of the first.
        leaves: None where a position has no record.
        hashes: what level-0 tiles have for the same positions, 32 bytes each: more where tiles go on behind the last
            record, fewer where a tile is missing or ends too early. None where the reader has no tiles.
    """

    first: int
    leaves: Sequence[bytes | None]
    hashes: bytes | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """What the next log says of this one: a restore lost its records from `first` to before `end`.

    Attributes:
        note: the last outside checkpoint of this log.
        sealed: whether a record under the next log's own signed checkpoint says so, and not a row alone, which whoever
            cut the log could have written.
    """

    note: str
    first: int
    end: int
    sealed: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a log is held against.

    Attributes:
        origin: the log's name.
        tenant: whose records they are.
        keys: the log's own that are trusted.
        inside, outside: checkpoints kept beside the log and elsewhere, signed notes in any order.
        copies: records kept elsewhere, in order of position; a position that comes again is passed over.
        dropped: records before this position were archived.
        frontier: the hashes of `merkle.complete(0, dropped)`, from tiles.
        loss: of records in a restore.
    """

    origin: str
    tenant: int
    keys: Sequence[Verifier]
    inside: Sequence[str] = ()
    outside: Sequence[str] = ()
    copies: Iterable[tuple[int, bytes]] = ()
    dropped: int = 0
    frontier: Sequence[bytes] = ()
    loss: Loss | None = None
