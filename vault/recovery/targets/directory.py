"""A folder of this machine, which is best another machine's disk, or one that can be carried away.

Files are written below `.tmp`, synced, and linked to their names, which fails where the name is taken. No symbolic
link below the folder is followed.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vault.recovery.targets.patience import DEEPEST, Deadline, Listing
from vault.recovery.targets.protocol import File, MissingFile, TargetFailed

DRAFTS = ".tmp"
OLD = 86_400  # seconds after which nobody writes a draft any more
ROOM = 65_536  # bytes that a probe writes
PIECE = 1_048_576  # bytes between two looks at the deadline

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CODES = {
    errno.ENOSPC: "target_full", errno.EDQUOT: "target_full", errno.EFBIG: "target_full",
    errno.EROFS: "target_read_only", errno.EACCES: "target_permission", errno.EPERM: "target_permission",
    errno.ENOENT: "target_removed", errno.ESTALE: "target_removed", errno.ENODEV: "target_removed",
    errno.ETIMEDOUT: "target_unreachable", errno.EHOSTDOWN: "target_unreachable",
}  # fmt: skip


class Directory:
    """Files below `root`, which must be there: a disk that is not mounted is none to write to."""

    def __init__(self, root: Path, mounted: bool = False) -> None:
        """Args: `mounted` asks for a file system of its own at `root`."""
        self._root, self._mounted = root, mounted
        self._cleared = False

    @property
    def name(self) -> str:
        """`file:` and the path."""
        return f"file:{self._root}"

    def put(self, path: str, data: bytes, deadline: Deadline) -> None:
        """Write a draft, sync it, link it, sync the folder."""
        with _explained(), self._opened() as root, _folder(root, path, make=True) as folder:
            name = path.rpartition("/")[2]
            with suppress(FileNotFoundError):
                _compare(folder, name, data, deadline)
                return
            with self._draft(root, data, deadline) as (drafts, draft):
                try:
                    os.link(draft, name, src_dir_fd=drafts, dst_dir_fd=folder, follow_symlinks=False)
                except FileExistsError:
                    _compare(folder, name, data, deadline)
                os.fsync(folder)

    def get(self, path: str, deadline: Deadline) -> bytes:
        """Read the file; a link or anything else in its place is no file."""
        with _explained(), self._opened() as root:
            try:
                with _folder(root, path) as folder:
                    return _read(folder, path.rpartition("/")[2], deadline)
            except FileNotFoundError:
                raise MissingFile from None

    def files(self, prefix: str, deadline: Deadline) -> list[File]:
        """Walk the folders."""
        found, listing = list[File](), Listing(deadline)
        with _explained(), self._opened() as root, _folder_or_none(root, prefix) as top:
            if top is None:
                return []
            for folder, folders, names, descriptor in os.fwalk(".", dir_fd=top, onerror=_raise):
                listing.hear(len(folders))
                below = f"{prefix}{folder}/".count("/") <= DEEPEST
                folders[:] = [one for one in folders if below and not one.startswith(".")]
                for name in names:
                    listing.hear()
                    size = _size(descriptor, name)
                    if size is not None:
                        found.append(File(prefix + f"{folder}/{name}".removeprefix("./"), size))
        return found

    def delete(self, path: str, deadline: Deadline) -> None:
        """Unlink the file and sync its folder."""
        deadline.left()
        with _explained(), self._opened() as root, _folder_or_none(root, path) as folder:
            if folder is not None:
                with suppress(FileNotFoundError):
                    os.unlink(path.rpartition("/")[2], dir_fd=folder)
                os.fsync(folder)

    def probe(self, deadline: Deadline) -> None:
        """Write a draft, sync it, remove it."""
        with _explained(), self._opened() as root, self._draft(root, bytes(ROOM), deadline):
            pass

    def weaknesses(self) -> list[str]:
        """Return nothing: a file system says what it does not do."""
        return []

    def cut(self) -> None:
        """Do nothing: no disk can be told to give up."""

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Give the root; TargetFailed if it is not there, or nothing is mounted where something should be."""
        try:
            root = os.open(self._root, _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            raise TargetFailed("target_removed", "the folder is not there") from None
        try:
            if self._mounted and not os.path.ismount(self._root):
                raise TargetFailed("target_removed", "nothing is mounted there")
            yield root
        finally:
            os.close(root)

    @contextmanager
    def _draft(self, root: int, data: bytes, deadline: Deadline) -> Iterator[tuple[int, str]]:
        """Give the folder and name of a synced file with these bytes, which is removed at the end."""
        draft = secrets.token_hex(16)
        with _folder(root, f"{DRAFTS}/{draft}", make=True) as drafts:
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o600, dir_fd=drafts)
            try:
                try:
                    self._clear(drafts, os.fstat(file).st_mtime)
                    rest = memoryview(data)
                    while rest:
                        deadline.left()
                        rest = rest[os.write(file, rest[:PIECE]) :]
                    os.fsync(file)
                finally:
                    os.close(file)
                deadline.left()
                yield drafts, draft
            finally:
                os.unlink(draft, dir_fd=drafts)

    def _clear(self, drafts: int, now: float) -> None:
        """Remove what writers that died have left; `now` is the file system's own time, whatever clock it goes by."""
        if not self._cleared:
            for name in os.listdir(drafts):
                with suppress(FileNotFoundError):
                    if os.stat(name, dir_fd=drafts, follow_symlinks=False).st_mtime < now - OLD:
                        os.unlink(name, dir_fd=drafts)
            self._cleared = True


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = _CODES.get(error.errno or 0, "target_broken")
        raise TargetFailed(code, os.strerror(error.errno or 0)) from None


@contextmanager
def _folder(root: int, path: str, make: bool = False) -> Iterator[int]:
    """Give the folder that the last part of `path` lies in; missing ones are made, synced, if `make` says so."""
    folder = os.dup(root)
    try:
        for part in path.split("/")[:-1]:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=folder)
                    os.fsync(folder)
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


@contextmanager
def _folder_or_none(root: int, path: str) -> Iterator[int | None]:
    """Give the folder as `_folder` does, and None where there is none."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(_folder(root, path))
        except FileNotFoundError:
            yield None
            return
        yield folder


def _size(folder: int, name: str) -> int | None:
    """Return a file's size in bytes; None if it is none, or gone by now."""
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _read(folder: int, name: str, deadline: Deadline, sync: bool = False) -> bytes:
    file = os.open(name, os.O_RDONLY | _FILE, dir_fd=folder)
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise TargetFailed("target_broken", "something else lies in a file's place")
        deadline.allow(facts.st_size)
        data = bytearray()
        while len(data) < facts.st_size and (piece := os.read(file, PIECE)):
            deadline.left()
            data += piece
        if sync:
            os.fsync(file)
        return bytes(data)
    finally:
        os.close(file)


def _compare(folder: int, name: str, data: bytes, deadline: Deadline) -> None:
    """Return if the file that is there holds `data`, and is durable: who put it may have died before it was."""
    if _read(folder, name, deadline, sync=True) != data:
        raise TargetFailed("target_differs", "a file holds something else than is put there")
    os.fsync(folder)


def _raise(error: OSError) -> None:
    raise error
