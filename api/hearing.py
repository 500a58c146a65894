"""Signals that are heard: a handler runs at once, although the main thread waits for a lock.

Python runs handlers in the main thread, between two bytecodes. A signal that comes when the thread has looked and not
yet fallen asleep, or that the kernel gives to another thread, is noted, and acted on when something else wakes the main
thread. granian's processes wait without an end: a worker that was told to stop so was killed half a minute later
(measured: one stop in a hundred, on a busy machine). `signal.set_wakeup_fd` tells of a signal whichever thread it met.
"""

from __future__ import annotations

import os
import signal
import threading
import time

_NUDGE = signal.SIGURG  # ignored where nobody handles it
_AGAIN = 0.02  # seconds between two nudges


def hear() -> None:
    """Have every signal's handler of this process run soon after it comes; to be called in the main thread.

    A forked child hears as Python does until it calls this itself.
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    awake: list[int] = []
    signal.signal(_NUDGE, lambda number, _: awake.append(number))
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_as_python_does)
    main = threading.get_ident()
    threading.Thread(target=_wake, args=(ours, main, awake), name="hearing", daemon=True).start()


def _as_python_does() -> None:
    signal.set_wakeup_fd(-1)


def _wake(told: int, main: int, awake: list[int]) -> None:
    """Nudge the main thread after each signal until it has run the handlers of those before, lowest number first."""
    while numbers := os.read(told, 64):
        if set(numbers) == {_NUDGE}:
            continue
        awake.clear()  # of an earlier nudge
        while not awake:
            signal.pthread_kill(main, _NUDGE)
            time.sleep(_AGAIN)
