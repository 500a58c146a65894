"""What a target of backups is: any class with these names in it satisfies `Target`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vault.errors import TargetFailed

CODES = (
    "target_unreachable", "target_slow", "target_full", "target_permission", "target_read_only", "target_removed",
    "target_untrusted", "target_differs", "target_locked", "target_broken", "target_missing_file",
)  # fmt: skip

__all__ = ["CODES", "File", "MissingFile", "Target", "TargetFailed"]


class MissingFile(TargetFailed):
    """There is no such file at the target; `problem` is "target_missing_file"."""

    def __init__(self) -> None:
        super().__init__("target_missing_file", "a file is not there")


@dataclass(frozen=True, slots=True)
class File:
    """One file at a target: its path below the target's root, with / between, and its size in bytes."""

    path: str
    size: int


class Target(Protocol):
    """A place that keeps files. Calls come from one thread at a time, and each ends within its patience.

    Paths are made of `layout`: letters, digits, `-`, `.` and `/`, no part of them beginning with a dot.
    """

    @property
    def name(self) -> str:
        """Its name in settings, alarms and metrics: a kind and where it is, never a secret."""

    def put(self, path: str, data: bytes) -> None:
        """Return once the file is there, whole and durable: written under another name, synced, put in its place.

        A file that is there with these bytes is good. Raises TargetFailed, "target_differs" if it holds others:
        nothing is ever overwritten. What was half written is never seen under its name.
        """

    def get(self, path: str) -> bytes:
        """Return a file's bytes; MissingFile if there is none, TargetFailed."""

    def files(self, prefix: str) -> Iterator[File]:
        """Give the files whose path begins with `prefix` (which ends in /), in the order of their paths."""

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is no failure. "target_locked" if the server keeps it for longer."""

    def probe(self) -> None:
        """Return if it would take a file now: one is really written and removed. Raises TargetFailed."""

    def close(self) -> None:
        """Let go of connections; the next call opens them again."""
