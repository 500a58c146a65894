"""Where a drill restores to: a new SQLite file in a folder of its own, or an empty PostgreSQL database; gone after."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from api.errors import SettingsError
from vault.store import emptying
from vault.store.database import Database

PREFIX, LOCK = "strongroom-drill-", "lock"
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory; the folder in it is made for its owner alone
ROOM = 4  # times the bytes of a backup that its database may take, for the index is not in the backup


@contextmanager
def scratch(url: str | None, folder: Path | None, needed: int) -> Iterator[str]:
    """Give the URL of an empty database, and leave nothing of it behind whatever happens.

    Args:
        url: of a PostgreSQL database that is there and empty; it is emptied again. None for SQLite.
        folder: where the SQLite file's folder is made; None for memory if there is room, else for temporary files.
        needed: bytes of the backup.
    Raises DatabaseNotEmpty if the database of `url` has a table: nothing in it is touched.
    """
    if url is not None:
        with _emptied(url):
            yield url
        return
    home = folder or _home(needed)
    sweep(home)
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))  # mode 0700
    with _held(made):
        try:
            yield f"sqlite:///{made}/scratch.db"
        finally:
            shutil.rmtree(made, ignore_errors=True)
    if made.exists():
        raise SettingsError(f"{made} could not be removed: remove it, and see why")


def sweep(home: Path) -> None:
    """Remove what drills left here that were killed: folders of ours that no process holds."""
    for left in home.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if left.is_symlink() or left.stat().st_uid != os.getuid():
                continue
            with _held(left):
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder's lock until the process ends at the latest; OSError if another one has it."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _home(needed: int) -> Path:
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM * needed:
        return MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def _emptied(url: str) -> Iterator[None]:
    database = Database(url, time.time, time.monotonic)
    try:
        emptying.require_empty(database)
        try:
            yield
        finally:
            emptying.empty(database)
    finally:
        database.close()
