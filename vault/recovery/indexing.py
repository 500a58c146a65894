"""Rows of tokens indexed a few blocks ahead of who loads them: by a process of its own, if there are many.

Opening and digesting hold the interpreter, so that a thread would gain nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO, Self, cast

from keys.openkeys import TenantKeys
from vault.recovery import indexer
from vault.recovery.reindexing import Indexed, Persons, Reindexer
from vault.store.streams import Row

MANY = 50_000  # rows from which on it pays to start a process
AHEAD = 3  # blocks that are under way
END_SECONDS = 5.0  # for which the process may take to end


class Indexing:
    """Works on rows in the order in which they come; on leaving it, the process ends."""

    def __init__(self, keys: Mapping[int, TenantKeys], rows: int) -> None:
        """Args: `rows` that will come, about; `keys` of all tenants, with the new primaries."""
        self._reindexer = Reindexer(keys)
        self._under_way: deque[Future[Indexed]] = deque()
        self._pool = self._child = None
        if rows >= MANY and len(os.sched_getaffinity(0)) > 1:
            self._child = _started(keys)
            self._pool = ThreadPoolExecutor(1, "index restored tokens")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for left in self._under_way:
            left.cancel()
        if self._pool is not None:
            self._pool.shutdown()
        self._end()

    def push(self, rows: Sequence[Row], persons: Persons) -> Iterator[Indexed]:
        """Take rows; yield those before them that are due. Args as of `Reindexer.work`."""
        if self._pool is None:
            yield self._reindexer.work(rows, persons)
            return
        self._under_way.append(self._pool.submit(self._work, rows, persons))
        if len(self._under_way) > AHEAD:
            yield self._under_way.popleft().result()

    def rest(self) -> Iterator[Indexed]:
        """Yield all that are left."""
        while self._under_way:
            yield self._under_way.popleft().result()

    def _work(self, rows: Sequence[Row], persons: Persons) -> Indexed:
        """Have it done; a process that fails is done without: the work is the same here."""
        if self._child is not None:
            try:
                to, back = cast("BinaryIO", self._child.stdin), cast("BinaryIO", self._child.stdout)
                return indexer.ask(to, back, list(rows), persons)
            except OSError:
                self._end()
        return self._reindexer.work(rows, persons)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(OSError):
            cast("BinaryIO", child.stdin).close()
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        cast("BinaryIO", child.stdout).close()


def _started(keys: Mapping[int, TenantKeys]) -> subprocess.Popen[bytes] | None:
    """Return the process, which has the keys; None if there is none to be had."""
    command = [sys.executable, "-m", indexer.__name__]
    try:
        child = subprocess.Popen(  # noqa: S603 - ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
    with suppress(OSError):  # it is found dead at the first rows
        indexer.send_keys(cast("BinaryIO", child.stdin), keys)
    return child
