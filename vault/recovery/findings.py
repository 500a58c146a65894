"""What verifying found, and how a command's exit code tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vault.recovery.mending import Wrong
from vault.store.streams import Stream

GOOD, FAILED, UNREACHABLE, DAMAGED, MENDED, TOO_FEW = 0, 1, 3, 5, 6, 7
"""Exit codes, beside those of every command: all is good; the command itself failed; a target did not answer; files
were missing or damaged and some could not be mended; all could; backups have fewer good copies than the quorum."""

LISTED = 1_000  # findings that are told one by one, of each target; all are counted

Code = Literal[Wrong, "replayed", "unknown"]
"""missing, size, altered: of a file; replayed: the target shows an older state than one it had; unknown: of nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One file at one target that is not as it should be.

    Attributes:
        file: its path at the target.
        chunk: which of its manifest's chunks it is, from 0; None for a manifest, and where that is not known.
        mended: whether it is good now; of an `unknown` one nothing is said by it.
        why: the code of why it was not.
    """

    target: str
    stream: Stream
    number: int | None
    file: str
    chunk: int | None
    code: Code
    mended: bool = False
    why: str | None = None


@dataclass(slots=True)
class Looked:
    """How it is at one target.

    Attributes:
        backups: that it holds; `read`: bytes of them that were read back now, of `size` in all.
        wrong: files that were missing or damaged; `mended`: how many of them are good now.
        unknown: files that belong to nothing that is known.
        replayed: streams whose newest manifests, which it had taken, it did not show.
        problem: the code of why it could not be looked at to the end; None if it was.
    """

    target: str
    backups: int = 0
    read: int = 0
    size: int = 0
    wrong: int = 0
    mended: int = 0
    unknown: int = 0
    replayed: list[Stream] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    problem: str | None = None

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it while there are not too many."""
        if finding.code == "replayed":
            self.replayed.append(finding.stream)
        elif finding.code == "unknown":
            self.unknown += 1
        else:
            self.wrong += 1
            self.mended += finding.mended
        if len(self.findings) < LISTED:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found at each target, and which backups have fewer good copies than the quorum."""

    targets: list[Looked]
    short: list[tuple[Stream, int]]

    @property
    def code(self) -> int:
        """The exit code: of what is worst."""
        if any(one.wrong > one.mended for one in self.targets):
            return DAMAGED
        if self.short:
            return TOO_FEW
        if any(one.problem for one in self.targets):
            return UNREACHABLE
        return MENDED if any(one.wrong or one.replayed for one in self.targets) else GOOD

    def counts(self) -> dict[str, int]:
        """Return what was found in numbers, over all targets, with the exit code."""
        names = ("backups", "size", "read", "wrong", "mended", "unknown")
        told = {name: sum(getattr(one, name) for one in self.targets) for name in names}
        told["replayed"] = sum(len(one.replayed) for one in self.targets)
        told["unreachable"] = sum(one.problem is not None for one in self.targets)
        return {**told, "short": len(self.short), "code": self.code}
