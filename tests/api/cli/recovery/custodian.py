"""Custodians at a terminal: what the command shows is read until something is asked, and then answered."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path

from tests.api.cli.conftest import Command
from tests.waiting import until

OWN_SCREEN = re.compile(r"\x1b\[\?1049h(.*?)\x1b\[\?1049l", re.DOTALL)


@dataclass
class Terminal:
    """A command on a terminal of its own.

    Attributes:
        shown: all of it so far; `since`: from where on nothing was asked for yet.
    """

    process: subprocess.Popen[bytes]
    ours: int
    shown: str = ""
    since: int = 0
    ended: bool = field(default=False)

    def until(self, asked: str) -> re.Match[str]:
        """Read until the pattern is shown, after the last one that was asked for."""
        while (found := re.compile(asked).search(self.shown, self.since)) is None:
            assert self._more(), f"it ended without {asked!r}: {self.shown[self.since :]!r}"
        self.since = found.end()
        return found

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def interrupt(self, by: signal.Signals = signal.SIGINT) -> None:
        """Press Ctrl-C, or end it by another signal, once it waits for something to be typed.

        A moment before, Python would keep it for later.
        """
        until(lambda: "\nState:\tS" in Path(f"/proc/{self.process.pid}/status").read_text())
        self.process.send_signal(by)

    def end(self) -> int:
        """Read what is left and return how the command ended."""
        while self._more():
            pass
        os.close(self.ours)
        return self.process.wait(30)

    def outside(self) -> str:
        """Return what stays on the terminal, without the screens that were cleared."""
        return OWN_SCREEN.sub("", self.shown)

    def _more(self) -> bool:
        part = b""
        with contextlib.suppress(OSError):  # EIO: the other side has ended
            part = os.read(self.ours, 65_536)
        self.shown += part.decode()
        return bool(part)


def at_terminal(
    command: Command, *arguments: str, program: tuple[str, ...] = ("-m", "api.cli"), size: tuple[int, int] = (0, 0)
) -> Terminal:  # fmt: skip
    """Start a command, or another program of Python, on a new terminal of so many columns and lines; 0 is unknown."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size[::-1])
    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=command.folder,
        env={
            **os.environ, **command.environment,
            "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[4] / part) for part in (".", "client")),
            "TERM": "xterm",
        },
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    return Terminal(process, ours)


def numbered(screen: str) -> list[str]:
    """Return the words of a share as a screen shows them, in the order of their numbers."""
    found = {int(number): word for number, word in re.findall(r"(?<!\S)(\d+) ([a-z]{4,8})\b", screen)}
    assert sorted(found) == list(range(1, 34))
    return [found[number] for number in sorted(found)]


def hold(texts: list[str], shares: list[list[str]]) -> list[str]:
    """Return every three words of a share that stand in one of the texts side by side, as in a line or in a row."""
    plain = [" ".join(re.findall("[a-z]+", text.lower())) for text in texts]
    lines = [words[at : at + 3] for words in shares for at in range(len(words) - 2)]
    rows = [words[at::11] for words in shares for at in range(11)]
    return [run for run in map(" ".join, lines + rows) if any(run in text for text in plain)]
