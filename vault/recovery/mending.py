"""One file of a backup at one target: read back, and put right from another target that has it.

What a file should be is said by its digest, so no key is needed, and it does not matter where good bytes come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from vault.backup import layout, manifests
from vault.backup.model import Manifest
from vault.errors import BackupDamaged, TargetFailed
from vault.recovery.targets.protocol import MissingFile, Target
from vault.store.streams import Stream

Wrong = Literal["missing", "size", "altered"]
NO_GOOD_COPY = "no_good_copy"  # why a file could not be mended: no other target has it
_OF_THE_FILE = frozenset({"target_locked", "target_broken"})  # and not of the target, which may take others


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as it should be: its path, and the SHA-256 of its bytes in hex."""

    path: str
    digest: str

    def is_met(self, data: bytes) -> bool:
        """Whether these are its bytes."""
        return sha256(data).hexdigest() == self.digest


def chunk(manifest: Manifest, place: int) -> Wanted:
    """Return the file of one of a manifest's chunks, counted from 0."""
    digest = manifest.chunks[place].digest
    return Wanted(layout.chunk(manifest.installation, manifest.stream, digest), digest)


def manifest(installation: str, stream: Stream, number: int, digest: str) -> Wanted:
    """Return the file of a manifest's note."""
    return Wanted(layout.manifest(installation, stream, number), digest)


def noted(note: str, path: str) -> Manifest:
    """Return the manifest that the catalogue has for a path; BackupDamaged if it cannot be read there."""
    try:
        return manifests.unverified(note)
    except ValueError:
        raise BackupDamaged("the catalogue's manifest cannot be read", path) from None


def order(manifest: Manifest, target: str) -> list[int]:
    """Return the order in which a manifest's chunks are read back at a target, the same each time.

    It is another one at each target, so that a share of all is not the same share everywhere.
    """
    keys = [sha256(f"{target} {one.digest}".encode()).digest() for one in manifest.chunks]
    return sorted(range(len(keys)), key=keys.__getitem__)


class Sources:
    """Targets that files are fetched from; one that fails is asked no more.

    Attributes:
        failed: the codes of those that failed, by name.
    """

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = list(targets)
        self.failed: dict[str, str] = {}

    def fetch(self, wanted: Wanted, but: str) -> bytes | None:
        """Return a file's bytes from the first target, but that of a name, whose copy is good; None if none is."""
        for target in self._targets:
            if target.name == but or target.name in self.failed:
                continue
            try:
                data = target.get(wanted.path)
            except MissingFile:
                continue
            except TargetFailed as failure:
                self.failed[target.name] = failure.problem
                continue
            if wanted.is_met(data):
                return data
        return None


def read_back(target: Target, wanted: Wanted) -> Wrong | None:
    """Return what is wrong with a file, None if nothing; TargetFailed if it cannot be said."""
    try:
        return None if wanted.is_met(target.get(wanted.path)) else "altered"
    except MissingFile:
        return "missing"


def put(target: Target, wanted: Wanted, data: bytes) -> None:
    """Put a file in the place of whatever is there, and read it back.

    Raises TargetFailed: "target_locked" if the server keeps what is there, "target_broken" if something else is read
    back than was written.
    """
    try:
        target.put(wanted.path, data)
    except TargetFailed as failure:
        if failure.problem != "target_differs":
            raise
        target.delete(wanted.path)
        target.put(wanted.path, data)
    if read_back(target, wanted) is not None:
        raise TargetFailed("target_broken", "a file is read back other than it was written")


def mend(target: Target, wanted: Wanted, sources: Sources, data: bytes | None = None) -> str | None:
    """Put a file right; return None, or why it was not: NO_GOOD_COPY, "target_locked" or "target_broken".

    What is there is not touched before good bytes are at hand.

    Args:
        data: its bytes, where they are known.
    Raises:
        TargetFailed: the target takes no file now.
    """
    good = sources.fetch(wanted, target.name) if data is None else data
    if good is None or not wanted.is_met(good):
        return NO_GOOD_COPY
    try:
        put(target, wanted, good)
    except TargetFailed as failure:
        if failure.problem not in _OF_THE_FILE:
            raise
        return failure.problem
    return None
