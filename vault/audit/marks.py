"""The checkpoints that a log is held against: which notes count, and the sizes and roots that they vouch for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vault.audit import checkpoints
from vault.audit.faults import AuditFault
from vault.audit.findings import Finding
from vault.audit.notes import Verifier, parse


@dataclass(frozen=True, slots=True)
class Mark:
    """The roots that trusted keys signed for a tree of `size` leaves: one, unless the log was forked."""

    size: int
    roots: tuple[bytes, ...]


def read_marks(
    origin: str, keys: Sequence[Verifier], notes: Iterable[tuple[str, str]]
) -> tuple[list[Mark], list[Finding]]:
    """Return the marks by size, and a finding for each note that does not count.

    Args:
        notes: each with where it was kept, as a finding shall say it.
    """
    roots: dict[int, dict[bytes, None]] = {}
    findings: list[Finding] = []
    for note, where in dict(notes).items():
        try:
            checkpoint = checkpoints.opened(note, origin, keys)
        except AuditFault as fault:
            findings.append(Finding(fault.code, _claimed(note), None, f"a checkpoint kept {where}: {fault}"))
        else:
            roots.setdefault(checkpoint.size, {})[checkpoint.root] = None
    return [Mark(size, tuple(roots[size])) for size in sorted(roots)], findings


def _claimed(note: str) -> int | None:
    """Return how many records a note that does not count says it covers."""
    try:
        return checkpoints.read(parse(note).text).size
    except AuditFault:
        return None
