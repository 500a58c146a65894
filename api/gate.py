"""Who may run at once in a serving process: requests with passwords wait for hashes, and take no other's thread for it.

The server has as many threads as both kinds may take together. A request with passwords that finds all of its kind
taken is answered at once: it goes in marked, and is refused there like every other, with its numbers and log line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from flask import request

from vault.errors import HashingBusy

FULL = "strongroom.hashing_full"  # in the environ of a request that is to be refused
PASSWORDS = "/v1/passwords"

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]


class Gate:
    """A WSGI application in front of another one."""

    def __init__(self, app: Wsgi, threads: int, waiting: int) -> None:
        """Let through at once at most `waiting` requests with passwords, and `threads` others, who wait to come in."""
        self._app = app
        self._threads, self._waiting = Turns(threads), Turns(waiting)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - PEP 3333's
        """Answer one request."""
        turns = self._threads
        if has_passwords(environ["PATH_INFO"]):
            if self._waiting.take(wait=False):
                turns = self._waiting
            else:
                environ[FULL] = True
        if turns is self._threads:
            turns.take()
        try:
            return self._app(environ, start_response)
        finally:
            turns.give_back()


class Turns:
    """A number of turns; who waits for one gets it in the order of asking.

    threading.Semaphore gives none that order: under load a request waited five times as long as the one beside it.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._queue: deque[Lock] = deque()
        self._lock = Lock()

    def take(self, *, wait: bool = True) -> bool:
        """Take a turn; return whether there was one, which is sure if `wait`."""
        with self._lock:
            if self._count:
                self._count -= 1
                return True
            if not wait:
                return False
            mine = Lock()
            mine.acquire()
            self._queue.append(mine)
        mine.acquire()
        return True

    def give_back(self) -> None:
        """Hand the turn to whoever waits longest."""
        with self._lock:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._count += 1


def check() -> None:
    """Raise HashingBusy if the current request came in marked."""
    if FULL in request.environ:
        raise HashingBusy("too many passwords wait to be hashed")


def has_passwords(path: str) -> bool:
    """Whether a request to `path` may wait for hashes."""
    return path.startswith(PASSWORDS) and path[len(PASSWORDS) :][:1] in ("", "/")
