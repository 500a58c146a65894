"""Whether a backup's files are there and whole, which needs no key."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from vault.backup import layout
from vault.backup.model import Manifest
from vault.recovery import chunks
from vault.recovery.targets.protocol import MissingFile, Target
from vault.store.streams import Stream

RANDOM = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one chunk.

    Attributes:
        file: its path at the target.
        chunk: which of the manifest's it is, from 0.
        code: missing, size (another one), or altered (its bytes were read).
    """

    file: str
    chunk: int
    code: Literal["missing", "size", "altered"]


def sizes(target: Target, installation: str, stream: Stream) -> dict[str, int]:
    """Return the sizes of a stream's chunks by path, in bytes, as the target lists them."""
    return {file.path: file.size for file in target.files(layout.chunks(installation, stream))}


def checked(
    target: Target,
    manifest: Manifest,
    share: float,
    listed: Mapping[str, int],
    draw: Callable[[], float] = RANDOM,
) -> Iterator[Problem | None]:
    """Give what is wrong with each chunk in its order, None if nothing; TargetFailed as the target does.

    Args:
        share: of the chunks that are read and held against their digests, drawn anew each time: 0 for none, 1 for
            all. The others are held against the target's list.
        listed: `sizes`, so that one list serves for many manifests.
        draw: numbers from 0 to below 1.
    """
    for place, chunk in enumerate(manifest.chunks):
        path = chunks.path(manifest, place)
        if path not in listed:
            yield Problem(path, place, "missing")
        elif listed[path] != chunk.size:
            yield Problem(path, place, "size")
        elif draw() < share:
            yield _read(target, path, place, chunk.digest)
        else:
            yield None


def _read(target: Target, path: str, place: int, digest: str) -> Problem | None:
    try:
        stored = target.get(path)
    except MissingFile:
        return Problem(path, place, "missing")
    return None if sha256(stored).hexdigest() == digest else Problem(path, place, "altered")
