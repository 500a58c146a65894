"""What is kept outside of the database: checkpoints, and the lines that sinks wrote.

It is looked at before the service is asked, so none of it can be newer than what an honest service has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

import msgspec

from api.cli.failure import Failure
from vault.audit.notes import MAX_NOTE_BYTES

Copy = tuple[int, bytes]  # position and leaf


class _Line(msgspec.Struct):
    """What counts of a line, see `vault.sinks.lines`."""

    log: str = ""
    position: int | None = None
    leaf: bytes | None = None
    note: str | None = None


@dataclass
class SinkFile:
    """A file of lines, as long as it was when it was first looked at.

    Attributes:
        notes: checkpoints by log.
        spans: first position and the one behind the last, by log.
        bad: the numbers of lines that are none of an audit's.
    """

    path: Path
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    bad: list[int] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        self._size = self.path.stat().st_size
        for number, line in enumerate(self._lines(), 1):
            if line is None:
                self.bad.append(number)
            elif line.note is not None:
                self.notes[line.log].append(line.note)
            elif line.position is not None:
                low, high = self.spans.get(line.log, (line.position, 0))
                self.spans[line.log] = (min(low, line.position), max(high, line.position + 1))

    def copies(self, log: str) -> Iterator[Copy]:
        """Yield the records of a log whose positions rise; one that comes again is passed over."""
        behind = 0
        for line in self._lines():
            if line is None or line.log != log or line.position is None or line.leaf is None:
                continue
            if line.position >= behind:
                yield line.position, line.leaf
                behind = line.position + 1

    def _lines(self) -> Iterator[_Line | None]:
        """Yield the lines, None for one that is none; what stands before the object is a syslog header."""
        decode, read = msgspec.json.Decoder(_Line).decode, 0
        with self.path.open("rb") as file:
            for raw in file:
                read += len(raw)
                if read > self._size:
                    return
                try:
                    yield decode(raw[max(raw.find(b"{"), 0) :])
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    yield None


@dataclass(frozen=True)
class Outside:
    """Checkpoints by log, each with where it is from; and files of lines."""

    notes: dict[str, list[str]]
    files: Sequence[SinkFile]

    def of(self, log: str) -> list[str]:
        """Return the checkpoints of a log."""
        return [*self.notes.get(log, ()), *(note for file in self.files for note in file.notes.get(log, ()))]

    def copies(self, log: str) -> Iterator[Copy]:
        """Yield the records of a log in all files, by position."""
        return merge(*(file.copies(log) for file in self.files), key=lambda copy: copy[0])

    def logs(self) -> set[str]:
        """Return the names of all logs that something is kept of."""
        return {*self.notes, *(log for file in self.files for log in (*file.notes, *file.spans))}


def read(checkpoints: Sequence[Path], sinks: Sequence[Path]) -> Outside:
    """Read what there is; raise Failure if a checkpoint's file holds no checkpoint."""
    notes: dict[str, list[str]] = defaultdict(list)
    for path in checkpoints:
        note = _note(path)
        notes[name_of(note)].append(note)
    return Outside(notes, [SinkFile(path) for path in sinks])


def name_of(note: str) -> str:
    """Return the log that a checkpoint says it is of: its first line."""
    return note.partition("\n")[0]


def _note(path: Path) -> str:
    from vault.audit import checkpoints, notes
    from vault.audit.faults import AuditFault

    with path.open("rb") as file:
        raw = file.read(MAX_NOTE_BYTES + 1)
    try:
        parsed = notes.parse(raw)
        checkpoints.read(parsed.text)
        return raw.decode()
    except AuditFault as error:
        why = str(error)
    raise Failure(f"{path} is no checkpoint: {why}")
