"""Signals are heard by a main thread that waits for ever, also those that came to another thread."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

# The main thread refuses SIGTERM, so the kernel gives it to the other thread: Python notes it, and nobody wakes up.
DEAF = """
import signal, sys, threading
from api.hearing import hear
told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
threading.Thread(target=threading.Event().wait, daemon=True).start()
if "hear" in sys.argv:
    hear()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("ready", flush=True)
told.wait()
"""


def ends(*how: str) -> bool:
    """Return whether a process that waits in its main thread ends when it is told to."""
    process = subprocess.Popen([sys.executable, "-c", DEAF, *how], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.1)  # it falls asleep
        process.send_signal(signal.SIGTERM)
        return process.wait(20 if how else 1) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_python_alone_does_not_hear() -> None:
    assert not ends()


@pytest.mark.parametrize("attempt", range(5))
def test_a_signal_to_another_thread_is_heard(attempt: int) -> None:
    assert ends("hear")
