"""What `serve` has beside its workers, each as a child: started, started again when it dies, ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from api.cli.screen import Screen

LONGEST_PAUSE = 60.0  # seconds before it is started again
STOP_SECONDS = 15.0


class Background:
    """One child process, watched by a thread."""

    def __init__(
        self,
        screen: Screen,
        name: str,
        command: Sequence[str],
        *,
        pause: float,
        inherits: tuple[int, ...] = (),
    ) -> None:
        """Start nothing yet.

        Args:
            name: what the notes call it.
            command: see `ours`.
            pause: seconds before it is first started again; then twice as many, until one has lived for long.
            inherits: file descriptors that the child gets, under the same numbers.
        """
        self._screen, self._name, self._command = screen, name, command
        self._pause, self._inherits = pause, inherits
        self._ending = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Start the child and the thread that watches it."""
        self._child = _started(self._command, self._inherits)
        self._thread.start()

    def stop(self) -> None:
        """End the child: it finishes what it has begun, and is killed if that takes too long."""
        self._ending.set()
        child = self._child
        if child is None:
            return
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._screen.note(f"the {self._name} did not end in {STOP_SECONDS:g} s and was killed")
            child.kill()
            child.wait()

    def _watch(self) -> None:
        pause = self._pause
        while (child := self._child) is not None:
            begun = time.monotonic()
            code = child.wait()
            if self._ending.is_set():
                return
            if time.monotonic() - begun > LONGEST_PAUSE:
                pause = self._pause  # that one worked: it is not a start that fails again and again
            self._screen.note(f"the {self._name} ended with code {code}; it starts again in {pause:g} s")
            if self._ending.wait(pause):
                return
            pause = min(LONGEST_PAUSE, pause * 2)
            with suppress(OSError):  # no process or memory is left for it now: the next time, perhaps
                self._child = _started(self._command, self._inherits)


def ours(name: str) -> tuple[str, ...]:
    """Return the command line of one of our own commands that ends when this process does."""
    return (sys.executable, "-m", "api.cli", name, "--parent", str(os.getpid()))


def _started(command: Sequence[str], inherits: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Start it deaf to Ctrl-C, which reaches every process of a terminal: `stop` tells it by SIGTERM, and once.

    A KeyboardInterrupt in the middle of its imports printed a traceback, and might have left it in any state.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=inherits)  # noqa: S603 - ours
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
