"""A terminal of a command's own, on which something is typed when it is asked for."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.api.cli.conftest import Command


def on_terminal(strongroom: Command, *arguments: str, typed: Mapping[str, str] | None = None) -> str:
    """Run the command on a terminal and return what is shown.

    Args:
        typed: what is typed once each prompt is shown, in this order; before, it would be thrown away.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *arguments],
        cwd=strongroom.folder,
        env={
            **os.environ,
            **strongroom.environment,
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "TERM": "xterm",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, since, left = b"", 0, list((typed or {}).items())
    with contextlib.suppress(OSError):  # EIO: the other side has ended
        while part := os.read(ours, 65_536):
            shown += part
            if left and left[0][0].encode() in shown[since:]:
                since = len(shown)
                os.write(ours, left.pop(0)[1].encode())
    os.close(ours)
    process.wait(30)
    return shown.decode()
