"""The Unix socket that the service may listen at: whether it is free, and what answers there."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.cli.failure import Failure
from api.config import LONGEST_SOCKET

MODE = 0o660  # of the socket: the proxy's user is in its group
SECONDS = 3.0


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Make the way free for a socket that the server binds: one that a killed service left there goes.

    Raises Failure if somebody listens there, or something else is there, or no socket can be.
    """
    try:
        found = os.lstat(path).st_mode
    except FileNotFoundError:
        found = 0
    except OSError as error:
        raise _failure(path, error.strerror or "it cannot be looked at") from None
    if len(os.fsencode(path.resolve())) > LONGEST_SOCKET:
        raise _failure(path, f"a socket's path has at most {LONGEST_SOCKET} bytes")
    if not path.parent.is_dir():
        raise _failure(path, "its folder is missing")
    if found and not stat.S_ISSOCK(found):
        raise _failure(path, "something else is there")
    if found and listens(path):
        raise _failure(path, "somebody listens there")
    if found:
        path.unlink(missing_ok=True)
    yield


def listens(path: Path) -> bool:
    """Tell whether somebody takes connections there."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(os.fspath(path))
        return True
    return False


def status(path: Path, target: str) -> int | None:
    """Return the status of a GET; None from what is no strongroom, or does not answer."""
    connection = _Connection(path)
    try:
        connection.request("GET", target)
        reply = connection.getresponse()
        return reply.status if reply.getheader("X-Request-Id") else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = os.fspath(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def _failure(path: Path, reason: str) -> Failure:
    return Failure(f"cannot listen at {path}: {reason}", "STRONGROOM_SOCKET chooses another path")
