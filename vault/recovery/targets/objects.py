"""One bucket's objects, each call within its deadline; the client's own loop lets one be cut off at any point."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from vault.recovery.targets import s3errors
from vault.recovery.targets.patience import Deadline, Listing, Patience
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


class _IsThere(Exception):
    """An object of that name is there."""


class Objects:
    """One bucket's objects."""

    def __init__(self, bucket: Bucket, patience: Patience) -> None:
        self.bucket, self._patience = bucket, patience
        self._made: S3Store | None = None
        self.keeps: bool | None = None  # what is deleted; None until it was tried

    def put(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Create an object; one that is there must be the same.

        It is looked for first, for a server that refuses may hang up before it has read the bytes, and what it
        said gets lost with the line. Why is asked once more then, with the mark, which is short.
        """
        with suppress(MissingFile):
            self._compare(path, data, deadline)
            return
        try:
            self._create(path, data, deadline)
        except _IsThere:
            self._meet(path, data, deadline)
        except TargetFailed as failure:
            if failure.problem == "target_unreachable":
                self.mark(deadline)
            raise

    def _meet(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Compare with what was put meanwhile; or it is the mark of a deletion, which no gateway but S3 overlooks."""
        try:
            self._compare(path, data, deadline)
        except MissingFile:
            self._create(path, data, deadline, over_mark=True)

    def _compare(self, path: str, data: bytes, deadline: Deadline) -> None:
        if self.get(path, deadline) != data:
            raise TargetFailed("target_differs", "an object holds something else than is put there")

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
            found, listing = list[File](), Listing(deadline)
            async for page in obstore.list(self._store, prefix or None, chunk_size=PAGE):
                found += [File(one["path"], one["size"]) for one in page]
                listing.hear(len(page))
                limit.reschedule(asyncio.get_running_loop().time() + deadline.left())
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
