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


@contextmanager
def hasher_folder(chosen: Path | None) -> Iterator[None]:
    """Have a folder (mode 0700) for the socket, and name it to the processes started here; none where one is chosen."""
    if chosen is not None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="strongroom-hasher-") as made:
        path = Path(made, "socket")
        if len(os.fsencode(path)) > LONGEST_SOCKET:
            raise Failure(
                "the folder for temporary files has too long a name for a socket", "set TMPDIR to another"
            )
        os.environ[VARIABLE] = str(path)
        yield
