"""A real `strongroom hasher` for tests, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.hashing.remote import RemoteHasher
from tests.waiting import until
from vault.errors import HashingUnavailable
from vault.passwords.profiles import Profile

CHEAP = Profile("cheap", 64, 1, 1)
SLOW = Profile("slow", 32_768, 24, 1)  # a good part of a second, and 32 MiB


def start(socket: Path, log: Path, *options: str, **settings: str) -> subprocess.Popen[bytes]:
    """Start a hasher, and return at once; what it says goes to the end of `log`."""
    ours = {"STRONGROOM_HASHER_SOCKET": str(socket), "STRONGROOM_HASHING_WAIT_SECONDS": "60"}
    environment = {**os.environ, **ours, **settings}
    command = [sys.executable, "-m", "api.cli", "hasher", *options]
    with log.open("ab") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file)


@contextmanager
def hashing(socket: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a hasher that answers; it is killed in the end, if it has not ended by then."""
    process = start(socket, socket.with_suffix(".log"), **settings)
    try:
        until(lambda: answers(socket) or process.poll() is not None)
        assert process.poll() is None, socket.with_suffix(".log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()


def freeze(pid: int) -> None:
    """Stop a process, and return when each of its threads has stopped: until then one of them may still answer."""
    os.kill(pid, signal.SIGSTOP)
    until(
        lambda: all(
            "State:\tT" in (one / "status").read_text() for one in Path(f"/proc/{pid}/task").iterdir()
        )
    )


def answers(socket: Path) -> bool:
    """Tell whether a hasher answers there."""
    try:
        RemoteHasher(socket, 1, 1).load()
    except HashingUnavailable:
        return False
    return True
