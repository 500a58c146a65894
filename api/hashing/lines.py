"""Connections to a hasher, kept between requests; each carries one request at a time."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from api.hashing import wire
from api.hashing.messages import Answer
from api.hashing.wire import Broken
from vault.errors import HashingBusy, HashingUnavailable

START_SECONDS = 2.0  # that a hasher is given to start, or to be started again
PAUSE = 0.02  # seconds between two tries to reach it
PATIENCE = 5.0  # seconds without an answer, after which it is asked whether it still lives


class Lines:
    """Safe to share between threads, and to fork: a child begins with none."""

    def __init__(self, path: str, most: int, lives: Callable[[], object]) -> None:
        """Connect to nothing yet.

        Args:
            path: of the hasher's socket.
            most: requests at once, and so connections.
            lives: raises HashingUnavailable if the hasher does not.
        """
        self._path, self._most, self._lives = path, most, lives
        self._free: list[socket.socket] = []
        self._begin()

    def _begin(self) -> None:
        self.close()
        self._process = os.getpid()
        self._turns = threading.BoundedSemaphore(self._most)

    def close(self) -> None:
        """Close what nobody uses; a request that comes later connects anew."""
        while self._free:
            with suppress(IndexError):
                self._free.pop().close()

    def exchange(self, message: Callable[[float], bytes], seconds: float) -> Answer:
        """Send a message and return what comes back; one whose connection breaks is sent once more, on a new one.

        Args:
            message: makes it, given the seconds that are left of those that it may wait for its turn.
            seconds: that it may wait.
        Raises:
            HashingBusy: too many wait for a connection.
            HashingUnavailable: the hasher is not there, or broke off twice, or does not move any more.
        """
        if self._process != os.getpid():
            self._begin()  # what was connected is the parent's
        until, turns = time.monotonic() + seconds, self._turns
        if not turns.acquire(timeout=seconds):
            raise HashingBusy("too many passwords wait to be hashed")
        try:
            with suppress(OSError, Broken):
                return self._exchange(self._kept() or self._fresh(), message, until)
            self.close()  # those kept beside it lead to the same end
            with suppress(OSError, Broken):
                return self._exchange(self._fresh(), message, until)
            raise HashingUnavailable("the hasher broke off")
        finally:
            turns.release()

    def _exchange(self, connection: socket.socket, message: Callable[[float], bytes], until: float) -> Answer:
        try:
            connection.sendall(message(until - time.monotonic()))
            while not _readable(connection, PATIENCE):
                self._lives()  # a long column takes its time; a process that was stopped takes for ever
            answer = wire.answered(connection)
        except BaseException:
            connection.close()
            raise
        self._free.append(connection)
        return answer

    def _kept(self) -> socket.socket | None:
        with suppress(IndexError):
            return self._free.pop()
        return None

    def _fresh(self) -> socket.socket:
        return connect(self._path, START_SECONDS)


def connect(path: str, seconds: float) -> socket.socket:
    """Return a new connection; HashingUnavailable if there is none after so many seconds, tried at least once."""
    until = time.monotonic() + seconds
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(path)
            if wire.is_ours(connection):
                return connection
            reason = "the hasher's socket is another user's"
        except OSError:  # not there, nobody listens, or too many wait to be heard
            reason = "the hasher cannot be reached"
        connection.close()
        if time.monotonic() >= until:
            raise HashingUnavailable(reason)
        time.sleep(PAUSE)


def _readable(connection: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
