"""When a process that works beside `serve`, or on its own, is to end."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import NoReturn

LOOK = 0.1  # seconds between two looks at whether to end


class Ending:
    """Whether the process was told to end, by SIGTERM, Ctrl-C, or the end of its parent; any thread may ask."""

    def __init__(self, parent: int | None) -> None:
        self._parent = parent
        # Looked at now and then: a threading.Event locks the worker up where the handler that sets it cuts its own
        # wait, and a SimpleQueue of Python 3.11 waits for ever where its time is over before it has begun to wait.
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._told = True

    def __call__(self) -> bool:
        """Tell whether to end now."""
        return self._told or (self._parent is not None and os.getppid() != self._parent)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is time to end."""
        until = time.monotonic() + seconds
        while not self() and (left := until - time.monotonic()) > 0:
            time.sleep(min(LOOK, left))


def by_exception() -> None:
    """Let SIGTERM and SIGHUP end the process by an exception, so that nothing stays that is removed on the way out.

    It exits with 128 + the signal's number, as a shell would say; a second one does not cut that short.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _raise)


def _raise(told: int, frame: FrameType | None) -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + told)
