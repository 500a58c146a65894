"""Where a hasher listens: a socket of its owner's alone, taken over from a hasher that died."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BACKLOG = 1_024  # connections that wait to be taken


class Taken(Exception):
    """Another hasher listens there."""


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Give a socket that listens at `path`, mode 0600, and remove it in the end; what is no socket stays.

    Raises:
        Taken: the lock file beside it, `path` and ".lock", is held by another hasher.
        OSError: it cannot be made there.
    """
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _lock(lock)
        _clear(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(os.fspath(path))
            path.chmod(0o600)  # before anybody can connect
            listener.listen(BACKLOG)
            try:
                yield listener
            finally:
                with suppress(FileNotFoundError):
                    path.unlink()
    finally:
        os.close(lock)


def _clear(path: Path) -> None:
    """Remove the socket of a hasher that died: nobody else may have it. Of anything else, binding says it exists."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()


def _lock(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Taken from None
