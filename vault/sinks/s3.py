"""A bucket of an object store that speaks S3: an object a batch, written once and read back.

Names sort in the order of positions: `PREFIX/LOG/records/FROM-TO.ndjson`, and `PREFIX/LOG/checkpoints/SIZE-DIGEST.txt`
for each signed checkpoint. The same batch again must find the bytes that it would write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from vault.sinks import lines
from vault.sinks.bucket import Bucket, open_store
from vault.sinks.deadline import Deadline
from vault.sinks.protocol import PATIENCE, Batch, SinkFailed

if TYPE_CHECKING:
    from obstore.store import S3Store

T = TypeVar("T")

MARK = "strongroom.txt"  # put again by every probe, which is refused as it is there: only who may write hears that
MARK_TEXT = b"Audit records of strongroom.\n"


class S3Sink:
    """Objects that nobody overwrites; object lock, where the bucket has it, keeps them from being deleted, too."""

    holds_records = True

    def __init__(self, place: Bucket, monotonic: Callable[[], float]) -> None:
        self._place, self._monotonic = place, monotonic
        self._made: S3Store | None = None
        self._last = MARK  # the newest object, which must stay
        self._anew: set[str] | None = None  # once something is gone: the logs that have been begun anew

    @property
    def name(self) -> str:
        """`s3://bucket/prefix`."""
        return self._place.name

    def deliver(self, batch: Batch) -> str:
        """Put the records as one object, and the checkpoint as another."""
        deadline = Deadline(self._monotonic)
        if batch.entries:
            first, last = batch.entries[0].position, batch.entries[-1].position
            data = b"".join(lines.of_record(batch.origin, entry) for entry in batch.entries)
            self._put(f"{batch.origin}/records/{first:016}-{last:016}.ndjson", data, deadline)
            if self._anew is not None:
                self._anew.add(batch.origin)
        if batch.note:
            note = batch.note.encode()
            digest = hashlib.sha256(note).hexdigest()[:16]
            self._put(f"{batch.origin}/checkpoints/{batch.size:016}-{digest}.txt", note, deadline)
        return ""

    def probe(self) -> None:
        """Put the mark, and look whether the newest object is there."""
        deadline = Deadline(self._monotonic)
        _call(lambda: self._create(MARK, MARK_TEXT), deadline)
        try:
            _call(lambda: obstore.head(self._store, self._last), deadline)
        except SinkFailed as failure:
            if failure.code == "sink_removed":
                self._last, self._anew = MARK, set()
            raise

    def restart_from(self, origin: str) -> int | None:
        """Return 0 once something was found to be gone: what is still there will be found the same."""
        return 0 if self._anew is not None and origin not in self._anew else None

    def close(self) -> None:
        """Let go of the client."""
        self._made = None

    @property
    def _store(self) -> S3Store:
        """The client, made in the process that uses it: it has threads, which no fork keeps."""
        if self._made is None:
            self._made = open_store(self._place, PATIENCE, PATIENCE)
        return self._made

    def _put(self, name: str, data: bytes, deadline: Deadline) -> None:
        _call(lambda: self._create(name, data), deadline)
        there = _call(lambda: obstore.get(self._store, name).bytes().to_bytes(), deadline)
        if there != data:
            raise SinkFailed("sink_differs", "an object holds something else than was put there")
        self._last = name

    def _create(self, name: str, data: bytes) -> None:
        with suppress(AlreadyExistsError):
            obstore.put(self._store, name, data, mode="create", use_multipart=False)


def _call(work: Callable[[], T], deadline: Deadline) -> T:
    """Return what the store answers; its own words, which name the request, go no further."""
    deadline.left()
    try:
        return work()
    except (NotFoundError, FileNotFoundError):
        code, reason = "sink_removed", "the bucket or an object is not there"
    except (PermissionDeniedError, UnauthenticatedError, PermissionError):
        code, reason = "sink_permission", "the store refuses these credentials"
    except (BaseError, OSError):
        code, reason = "sink_unreachable", "the store does not answer as it should"
    raise SinkFailed(code, reason)
