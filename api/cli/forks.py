"""Signals across a fork: a worker that is told to end before it listens for that ends, and none outlives the server.

A forked child starts with its parent's handlers, which change flags of the parent only. So a SIGTERM between the
fork and the moment when the server has set the worker's own handlers, a second or more of imports, was lost, and
the worker was killed when its time to stop ran out. Until then it is better off with the system's own answer: it
serves nobody yet.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_before: list[set[signal.Signals]] = []  # the mask of the thread that forks
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_when_told() -> None:
    """Let every process forked from now on end by SIGTERM at once, until it sets a handler of its own.

    It gets one also if this process is killed: workers that nobody looks after would hold the port for ever.
    SIGINT stays out: Ctrl-C reaches every process of a terminal, the server then tells its workers by SIGTERM, and
    of the two signals close together a worker of granian 2.8 hears neither.
    """
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_begin)


def _hold() -> None:
    """Keep the signals waiting, so that none meets the child with the parent's handlers."""
    _before.append(signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING))  # type: ignore[arg-type]


def _release() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.pop())


def _begin() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, _before.pop() | {signal.SIGINT})
