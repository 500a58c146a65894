"""How long to wait for a body: a caller that stops sending half-way does not keep a serving thread for ever.

WSGI's `read` has no time limit. While nobody is slow, a thread reads for itself, which costs nothing. Once somebody
is, the others read through a companion thread, which they leave behind when the request's time is over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Protocol

from api.errors import BodyTooSlow

SLOW_SECONDS = 0.1  # a read under way for longer makes the others careful


class Stream(Protocol):
    """What WSGI gives to read a body from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, fewer at the end alone."""
        ...


class Patience:
    """The reads under way in one process; safe to share between threads."""

    def __init__(self, threads: int, seconds: float) -> None:
        """Args: `threads` that serve in this process; `seconds` that a request may take."""
        self._few, self._seconds = max(1, threads // 4), seconds
        self._begun: dict[int, float] = {}  # thread to when it began to read for itself
        self._local = threading.local()

    def since(self, started: float) -> Callable[[Stream, int], bytes]:
        """Return how to read a stream for a request that started at `started` (monotonic seconds)."""
        return partial(self._read, started + self._seconds)

    def _read(self, deadline: float, stream: Stream, size: int) -> bytes:
        """Return `stream.read(size)`.

        Args:
            deadline: monotonic seconds; not kept by the few who read before anybody was known to be slow.
        Raises:
            BodyTooSlow: it did not come in time; the stream must not be read any more.
        """
        me = threading.get_ident()
        if self._begun and not self._calm():
            return self._with_companion(stream, size, deadline)
        self._begun[me] = time.monotonic()
        try:
            return bytes(stream.read(size))
        finally:
            del self._begun[me]

    def _calm(self) -> bool:
        begun = list(self._begun.values())
        return len(begun) < self._few and time.monotonic() - min(begun, default=0.0) < SLOW_SECONDS

    def _with_companion(self, stream: Stream, size: int, deadline: float) -> bytes:
        companion: _Companion | None = getattr(self._local, "companion", None)
        if companion is None:
            companion = self._local.companion = _Companion()
        try:
            return companion.read(stream, size, deadline - time.monotonic())
        except Empty:
            del self._local.companion  # it goes on waiting, alone, until the connection ends
        raise BodyTooSlow("the body did not come in time")


class _Companion:
    """A thread that reads for another, and ends with it."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[Stream, int] | None] = SimpleQueue()
        self._read: SimpleQueue[bytes | Exception] = SimpleQueue()
        threading.Thread(target=_serve, args=(self._asked, self._read), name="companion", daemon=True).start()

    def read(self, stream: Stream, size: int, seconds: float) -> bytes:
        """Return what the stream gives, or raise what it raises; Empty if that takes longer than `seconds`."""
        self._asked.put((stream, size))
        got = self._read.get(timeout=max(0.0, seconds))
        if isinstance(got, Exception):
            raise got
        return got

    def __del__(self) -> None:
        self._asked.put(None)


def _serve(asked: SimpleQueue[tuple[Stream, int] | None], read: SimpleQueue[bytes | Exception]) -> None:
    while (ask := asked.get()) is not None:
        try:
            read.put(bytes(ask[0].read(ask[1])))
        except Exception as error:  # noqa: BLE001 - raised in the thread that asked
            read.put(error)
        del ask  # the stream, and with it the connection
