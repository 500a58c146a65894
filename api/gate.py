"""Who may run at once in a serving process: requests with passwords wait for hashes, and take no other's thread for it.

The server has as many threads as both kinds may take together. A request with passwords that finds all of its kind
taken is answered at once: it goes in marked, and is refused there like every other, with its numbers and log line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
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
        self._threads, self._waiting = _permits(threads), _permits(waiting)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - PEP 3333's
        """Answer one request."""
        permits = self._threads
        if has_passwords(environ["PATH_INFO"]):
            try:
                self._waiting.get_nowait()
                permits = self._waiting
            except Empty:
                environ[FULL] = True
        if permits is self._threads:
            permits.get()
        try:
            return self._app(environ, start_response)
        finally:
            permits.put(None)


def check() -> None:
    """Raise HashingBusy if the current request came in marked."""
    if FULL in request.environ:
        raise HashingBusy("too many passwords wait to be hashed")


def has_passwords(path: str) -> bool:
    """Whether a request to `path` may wait for hashes."""
    return path.startswith(PASSWORDS) and path[len(PASSWORDS) :][:1] in ("", "/")


def _permits(count: int) -> SimpleQueue[None]:
    """Return that many: a queue is C, and costs a request less than a semaphore does."""
    permits: SimpleQueue[None] = SimpleQueue()
    for _ in range(count):
        permits.put(None)
    return permits
