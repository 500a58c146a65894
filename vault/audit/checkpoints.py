"""Checkpoints (C2SP tlog-checkpoint): the signed note that names a log, how many leaves its tree has, and its root."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from vault.audit.faults import CheckpointMalformed, OtherLog
from vault.audit.merkle import EMPTY_ROOT, HASH_BYTES
from vault.audit.notes import Note, Signer, Verifier, decode64, parse, verified

_SIZE = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)
_MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of `size` leaves of the log `origin`, and its root, 32 bytes."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def log_name(tenant: int, log: int) -> str:
    """Return the name of a tenant's log, counted from 1: a checkpoint's first line, and its key's name."""
    return f"strongroom/{tenant:016x}/{log}"


def sign(signer: Signer, size: int, root: bytes) -> str:
    """Return the signed checkpoint of the log that the signer's key is named after."""
    return signer.sign(Checkpoint(signer.name, size, root).body())


def read(text: str) -> Checkpoint:
    """Return what a note's text says; raise CheckpointMalformed if it is no checkpoint to the byte.

    Further lines are opaque (the format calls them extensions) and are passed over; none may be empty.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise CheckpointMalformed("a checkpoint is a log's name, a size and a root, each in a line")
    origin, size, packed = lines[:3]
    root = decode64(packed)
    if not _SIZE.fullmatch(size) or int(size) > _MAX_SIZE:
        raise CheckpointMalformed("a checkpoint's second line is the tree's size")
    if root is None or len(root) != HASH_BYTES or (size == "0" and root != EMPTY_ROOT):
        raise CheckpointMalformed("a checkpoint's third line is the tree's root")
    return Checkpoint(origin, int(size), root)


def opened(note: str | bytes | Note, origin: str, keys: Iterable[Verifier]) -> Checkpoint:
    """Return the checkpoint of the log `origin` that at least one of these keys signed.

    Raises NoteMalformed, CheckpointMalformed, OtherLog, BadSignature or UnknownKey, whichever comes first.
    """
    parsed = note if isinstance(note, Note) else parse(note)
    checkpoint = read(parsed.text)
    if checkpoint.origin != origin:
        raise OtherLog("the checkpoint is of another log")
    verified(parsed, keys)
    return checkpoint
