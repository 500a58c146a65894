"""A folder of audit files: which logs they are of, their checkpoints, and their records with signatures verified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vault.audit import archive
from vault.audit.evidence import Batch
from vault.audit.faults import AuditFault
from vault.audit.findings import Finding
from vault.audit.forms import Form, Header
from vault.audit.notes import Verifier

KINDS = (".ndjson", ".csv")
_TAIL = 524_288  # bytes in which a last line is looked for


@dataclass(frozen=True, slots=True)
class File:
    """One audit file; `checkpoint` is of its last line, and nobody has verified it."""

    path: Path
    header: Header
    checkpoint: str


@dataclass
class Archive:
    """The files of a folder, and what was wrong with some as they were read.

    Attributes:
        unreadable: a finding for each that has no first line of an audit file.
        damage: findings by log, once `batches` were read.
    """

    files: list[File]
    unreadable: list[Finding]
    damage: dict[str, list[Finding]]

    def logs(self) -> set[str]:
        """Return the names of the logs that the files are of."""
        return {file.header.log for file in self.files}

    def of(self, log: str) -> list[File]:
        """Return the files of a log, in order of position."""
        mine = [file for file in self.files if file.header.log == log]
        return sorted(mine, key=lambda file: (file.header.first, -file.header.end))

    def notes(self, log: str) -> list[str]:
        """Return the checkpoints in the files of a log."""
        return [file.checkpoint for file in self.of(log) if file.checkpoint]

    def span(self, log: str) -> tuple[int, int]:
        """Return from which position and to before which the files of a log say that they reach."""
        mine = [file.header for file in self.of(log)]
        return min(one.first for one in mine), max(one.end for one in mine)

    def batches(
        self, log: str, keys: Sequence[Verifier], start: int = 0, end: int = 2**63
    ) -> Iterator[Batch]:
        """Yield a log's records of these positions, each once, and take note of what is wrong with the files."""
        at, found = start, self.damage.setdefault(log, [])
        for file in self.of(log):
            if file.header.end <= start or file.header.first >= end:
                continue
            try:
                with file.path.open("rb") as pieces:
                    for entries in archive.Reader(pieces, keys):
                        for run in _runs([one for one in entries if at <= one[0] < end]):
                            yield Batch(run[0][0], [leaf for _, leaf in run])
                            at = run[-1][0] + 1
            except AuditFault as fault:
                told = f"{file.path.name}: {fault}"
                found.append(Finding(fault.code, file.header.first, file.header.end, told))


def read(folder: Path) -> Archive:
    """Look at all audit files of a folder."""
    found = Archive([], [], {})
    for path in sorted(path for path in folder.iterdir() if path.suffix in KINDS and path.is_file()):
        try:
            with path.open("rb") as pieces:
                header = archive.Reader(pieces, ()).header
            found.files.append(File(path, header, _checkpoint(path)))
        except AuditFault as fault:
            found.unreadable.append(Finding(fault.code, None, None, f"{path.name}: {fault}"))
    return found


def _runs(entries: Sequence[archive.Entry]) -> Iterator[Sequence[archive.Entry]]:
    """Yield entries of neighbouring positions together."""
    start = 0
    for at in range(1, len(entries) + 1):
        if at == len(entries) or entries[at][0] != entries[at - 1][0] + 1:
            yield entries[start:at]
            start = at


def _checkpoint(path: Path) -> str:
    """Return the checkpoint of a file's last line; "" if it has none."""
    with path.open("rb") as file:
        form: Form = archive.CSV if file.read(1) == b'"' else archive.NDJSON
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    try:
        return form.read_last(tail.removesuffix(form.end).rpartition(b"\n")[2].decode())[1]
    except (AuditFault, UnicodeDecodeError):
        return ""
