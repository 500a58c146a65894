"""A bucket of an object store that speaks S3, or two: keyrings never lie where what was deleted is kept.

An object is created, never overwritten. Where a bucket keeps versions, a deleted object is hidden and not gone, and
under object lock it stays for as long as its rule says: right for backups, and wrong for keyrings, with which a
destroyed key or an erased person would stay as well. So a keyring is put only into a bucket that has really
deleted something before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from vault.recovery.targets import s3errors
from vault.recovery.targets.patience import MOST_FILES, NAME, Deadline, Patience
from vault.recovery.targets.protocol import File, MissingFile, TargetFailed
from vault.sinks.bucket import Bucket, open_store

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import S3Store

T = TypeVar("T")

MARK = ".strongroom"  # put and deleted by every probe; a bucket that keeps it hears at the next one that it is there
MARK_DATA = bytes(65_536)
ROUNDS = 3  # of a probe: another's mark may be there, or what another left
PAGE = 1_000  # objects in a page of a listing (ListObjectsV2, max-keys)
KEYRING = "/keyring/"


class S3:
    """Objects below the buckets' prefixes; `keyrings` takes those whose path has /keyring/ in it."""

    def __init__(self, backups: Bucket, keyrings: Bucket | None, patience: Patience) -> None:
        """Args: `keyrings` may be None: all go to one bucket."""
        self._backups = _Objects(backups, patience)
        self._keyrings = self._backups if keyrings is None else _Objects(keyrings, patience)

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

    def _of(self, path: str) -> _Objects:
        return self._keyrings if KEYRING in path else self._backups


class _IsThere(Exception):
    """An object of that name is there."""


class _Objects:
    """One bucket's objects."""

    def __init__(self, bucket: Bucket, patience: Patience) -> None:
        self.bucket, self._patience = bucket, patience
        self._made: S3Store | None = None
        self.keeps: bool | None = None  # what is deleted; None until it was tried

    def put(self, path: str, data: bytes, deadline: Deadline) -> str | None:
        """Create an object, and return its version where the bucket keeps some; one that is there must be the same."""
        try:
            return self._create(path, data, deadline)
        except _IsThere:
            pass
        try:
            if self.get(path, deadline) != data:
                raise TargetFailed("target_differs", "an object holds something else than is put there")
        except MissingFile:
            # What is "there" is the mark of a deletion, to which S3 gives way and some gateways do not.
            return self._create(path, data, deadline, over_mark=True)
        return None

    def get(self, path: str, deadline: Deadline) -> bytes:
        """Return an object's bytes."""

        async def read(limit: asyncio.Timeout) -> bytes:
            reply = await obstore.get_async(self._store, path)
            deadline.allow(reply.meta["size"])
            limit.reschedule(asyncio.get_running_loop().time() + deadline.left())
            return (await reply.bytes_async()).to_bytes()

        return _run(read, deadline)

    def files(self, prefix: str, deadline: Deadline) -> list[File]:
        """Return the objects whose path begins with `prefix`."""

        async def pages(limit: asyncio.Timeout) -> list[File]:
            found: list[File] = []
            async for page in obstore.list(self._store, prefix or None, chunk_size=PAGE):
                found += [File(one["path"], one["size"]) for one in page]
                deadline.allow(NAME * len(page))
                limit.reschedule(asyncio.get_running_loop().time() + deadline.left())
                if len(found) > MOST_FILES:
                    raise TargetFailed("target_broken", f"more than {MOST_FILES:,} files lie there")
            return found

        return _run(pages, deadline)

    def delete(self, path: str, deadline: Deadline) -> None:
        """Delete an object."""
        _run(lambda _: obstore.delete_async(self._store, path), deadline)

    def mark(self, deadline: Deadline) -> None:
        """Put the mark and delete it, and learn whether the bucket keeps it, as a version or under lock."""
        for _ in range(ROUNDS):
            try:
                made, version = True, self._create(MARK, MARK_DATA, deadline)
            except _IsThere:
                made, version = False, self._version(deadline)
            self.keeps = version is not None or not self._deletes(deadline)
            if made or self.keeps:
                return
        self.keeps = True  # what is deleted, and yet there again each time, may be a mark over versions

    def require_deletion(self, deadline: Deadline, anew: bool = False) -> None:
        """Return if the bucket really deletes; TargetFailed, "target_locked", if it does not."""
        if anew or self.keeps is not False:
            self.mark(deadline)
        if self.keeps:
            reason = "the bucket keeps versions or locks objects, where no keyring may lie: name another for keyrings"
            raise TargetFailed("target_locked", reason)

    def _deletes(self, deadline: Deadline) -> bool:
        """Delete the mark, and return whether the bucket lets us."""
        try:
            self.delete(MARK, deadline)
        except TargetFailed as failure:
            if failure.problem not in {"target_locked", "target_permission"}:
                raise
            return False
        return True

    def close(self) -> None:
        """Let go of the client."""
        self._made = None

    @property
    def _store(self) -> S3Store:
        """The client, made in the process that uses it: it has threads, which no fork keeps."""
        if self._made is None:
            self._made = open_store(self.bucket, self._patience.connect)
        return self._made

    def _create(self, path: str, data: bytes, deadline: Deadline, over_mark: bool = False) -> str | None:
        """Create an object in one request and return its version, None where there are none; _IsThere."""
        mode: PutMode = "overwrite" if over_mark else "create"
        try:
            made = _run(
                lambda _: obstore.put_async(self._store, path, data, mode=mode, use_multipart=False), deadline
            )
        except TargetFailed as failure:
            if (
                failure.problem == "target_locked" and not over_mark
            ):  # some servers see the lock before they see the condition
                raise _IsThere from None
            raise
        return _kept(made["version"])

    def _version(self, deadline: Deadline) -> str | None:
        """Return the mark's version; None where the bucket keeps none, or the mark is gone by now."""
        try:
            return _kept(_run(lambda _: obstore.head_async(self._store, MARK), deadline)["version"])
        except MissingFile:
            return None


def _run(work: Callable[[asyncio.Timeout], Awaitable[T]], deadline: Deadline) -> T:
    """Return what the store answers before the deadline; its own words, which name the request, go no further."""

    async def within() -> T:
        async with asyncio.timeout(deadline.left()) as limit:
            return await work(limit)

    try:
        return asyncio.run(within())
    except AlreadyExistsError:
        raise _IsThere from None
    except TimeoutError:
        raise TargetFailed("target_slow", "the store did not answer in time") from None
    except (BaseError, OSError) as error:
        raise s3errors.explained(error) from None


def _kept(version: str | None) -> str | None:
    """Return the version that is kept: "null" is that of a bucket that once kept some and does no more."""
    return None if version in {None, "", "null"} else version
