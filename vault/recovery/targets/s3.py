"""A bucket of an object store that speaks S3, or two: keyrings never lie where what was deleted is kept.

An object is created, never overwritten. Where a bucket keeps versions, a deleted object is hidden and not gone, and
under object lock it stays for as long as its rule says: right for backups, and wrong for keyrings, with which a
destroyed key or an erased person would stay as well. So a keyring is put only into a bucket that has really
deleted something before.
"""

from __future__ import annotations

from vault.recovery.targets.objects import Objects
from vault.recovery.targets.patience import Deadline, Patience
from vault.recovery.targets.protocol import File
from vault.sinks.bucket import Bucket

KEYRING = "/keyring/"


class S3:
    """Objects below the buckets' prefixes; `keyrings` takes those whose path has /keyring/ in it."""

    def __init__(self, backups: Bucket, keyrings: Bucket | None, patience: Patience) -> None:
        """Args: `keyrings` may be None: all go to one bucket."""
        self._backups = Objects(backups, patience)
        self._keyrings = self._backups if keyrings is None else Objects(keyrings, patience)

    @property
    def name(self) -> str:
        """`s3://bucket/prefix`, of the bucket of backups."""
        return self._backups.bucket.name

    def put(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Create the object, with its SHA-256 as its checksum."""
        objects = self._of(path)
        if objects is self._keyrings and KEYRING in path:
            objects.require_deletion(deadline)
        objects.put(path, data, deadline)

    def get(self, path: str, deadline: Deadline) -> bytes:
        """Read the object."""
        return self._of(path).get(path, deadline)

    def files(self, prefix: str, deadline: Deadline) -> list[File]:
        """List the objects, a page after another."""
        found = [] if KEYRING in prefix else self._backups.files(prefix, deadline)
        if KEYRING in prefix or self._keyrings is not self._backups:
            found += self._keyrings.files(prefix, deadline)
        return found

    def delete(self, path: str, deadline: Deadline) -> None:
        """Delete the object; where the bucket keeps versions, that hides it."""
        self._of(path).delete(path, deadline)

    def probe(self, deadline: Deadline) -> None:
        """Put a mark into each bucket and delete it; that of the keyrings must really delete it."""
        self._keyrings.require_deletion(deadline, anew=True)
        if self._keyrings is not self._backups:
            self._backups.mark(deadline)

    def weaknesses(self) -> list[str]:
        """Say if what is deleted among the backups stays."""
        if self._backups.keeps:
            return ["the bucket keeps what is deleted: a rule of its own must remove what was pruned"]
        return []

    def cut(self) -> None:
        """Do nothing: each call ends itself at its deadline."""

    def close(self) -> None:
        """Let go of the clients."""
        self._backups.close()
        self._keyrings.close()

    def _of(self, path: str) -> Objects:
        return self._keyrings if KEYRING in path else self._backups
