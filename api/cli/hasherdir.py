"""Where the hasher of a service listens: at the socket that is set, or in a folder of this run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.cli.failure import Failure
from api.config import LONGEST_SOCKET

VARIABLE = "STRONGROOM_HASHER_SOCKET"
PREFIX, NAME = "strongroom-hasher-", "socket"


@contextmanager
def hasher_folder(chosen: Path | None) -> Iterator[None]:
    """Have a folder (mode 0700) for the socket, and name it to the processes started here; none where one is chosen."""
    if chosen is not None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=_short()) as made:
        os.environ[VARIABLE] = str(Path(made, NAME))
        yield


def _short() -> str:
    """Return a folder that leaves room for a socket's name: the one for temporary files, or the first that does."""
    for folder in (tempfile.gettempdir(), os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp", "/dev/shm"):  # noqa: S108
        made = Path(folder, f"{PREFIX}{'x' * 8}", NAME)
        if os.access(folder, os.W_OK | os.X_OK) and len(os.fsencode(made)) <= LONGEST_SOCKET:
            return folder
    raise Failure("the folder for temporary files has too long a name for a socket", "set TMPDIR to another")
