"""Whose turn it is to hash: urgent before the rest, first come first served in each, within a ceiling of memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Any

from vault.errors import HashingBusy, HashTooCostly, VaultError
from vault.passwords.hasher import Load
from vault.passwords.work import Column, Turn, Work

NEWS = 0.2  # how much a duration counts beside those before it


class Turns:
    """What waits and what runs. Not safe to share between threads; all times are seconds of one clock."""

    def __init__(self, ceiling: int, threads: int, most: int) -> None:
        """Begin with nothing.

        Args:
            ceiling: kibibytes of all works that run at once.
            threads: works that run at once.
            most: works that wait.
        """
        self._ceiling, self._threads, self._most = ceiling, threads, most
        self._queues: dict[bool, deque[Column]] = {True: deque(), False: deque()}  # urgent, and the rest
        self._running: set[Turn] = set()
        self._waiting = self._memory = 0
        self._paces: dict[str, float] = {}  # seconds a unit of size, of each kind that was seen

    def load(self) -> Load:
        """Return how busy it is."""
        return Load(len(self._running), self._waiting, self._memory, self._ceiling)

    def join(self, column: Column, now: float) -> None:
        """Let a column wait for its turns.

        Raises:
            HashTooCostly: one of its works takes more memory than there ever is.
            HashingBusy: too many wait, or it would not begin in time.
        """
        if any(work.memory > self._ceiling for _, work in column.waiting):
            raise HashTooCostly("the hash takes more memory than all hashes together may")
        if self._waiting + column.left > self._most or self._comes_late(column, now):
            raise _busy()
        self._queues[column.urgent].append(column)
        self._waiting += column.left

    def next(self, now: float) -> Turn | None:
        """Begin the next work and return it; None if there is none, or not the memory for it.

        Nothing overtakes a work that waits for memory: it would never get any.
        """
        for queue in self._queues.values():
            while queue:
                column = queue[0]
                if now > column.deadline:
                    self.drop(column, _busy())
                    continue
                place, work = column.waiting[0]
                if work.memory > self._ceiling - self._memory:
                    return None
                return self._begin(Turn(column, place, work, now))
        return None

    def end(self, turn: Turn, now: float, outcome: Any) -> None:  # noqa: ANN401 - whatever the work returned
        """Note that a work has ended, with a result or an Exception."""
        self._running.remove(turn)
        self._memory -= turn.work.memory
        self._learn(turn.work, now - turn.began)
        column = turn.column
        if isinstance(outcome, Exception):
            self.drop(column, outcome)
            return
        column.results[turn.place] = outcome
        column.left -= 1
        if not column.left:
            column.over.set()

    def expire(self, column: Column, now: float) -> None:
        """Refuse a column that still waits at its deadline."""
        if column.waiting and now >= column.deadline:
            self.drop(column, _busy())

    def drop(self, column: Column, error: Exception) -> None:
        """Refuse a column: what waits of it never begins, and nobody hears of what runs."""
        if column.over.is_set():
            return
        if column.waiting:
            self._queues[column.urgent].remove(column)
            self._waiting -= len(column.waiting)
            column.waiting.clear()
        column.error = error
        column.over.set()

    def drop_all(self, error: Callable[[], VaultError]) -> None:
        """Refuse everything that waits."""
        for column in [*self._queues[True], *self._queues[False]]:
            self.drop(column, error())

    def _begin(self, turn: Turn) -> Turn:
        column = turn.column
        if not column.urgent:
            column.deadline = turn.began + column.patience
        column.waiting.popleft()
        if not column.waiting:
            self._queues[column.urgent].popleft()
        self._waiting -= 1
        self._memory += turn.work.memory
        self._running.add(turn)
        return turn

    def _comes_late(self, column: Column, now: float) -> bool:
        """Whether the column's deadline would pass, as far as durations are known and nothing urgent comes."""
        ends = [(max(now, turn.began + self._seconds(turn.work)), turn.work.memory) for turn in self._running]
        heapify(ends)
        free = self._ceiling - self._memory
        own = [work for _, work in column.waiting] if column.urgent else [column.waiting[0][1]]
        for work in chain(self._ahead(column.urgent), own):
            while len(ends) >= self._threads or work.memory > free:
                end, freed = heappop(ends)
                now, free = max(now, end), free + freed
            if now > column.deadline:
                return True
            heappush(ends, (now + self._seconds(work), work.memory))
            free -= work.memory
        return False

    def _ahead(self, urgent: bool) -> Iterator[Work]:
        for column in chain(self._queues[True], () if urgent else self._queues[False]):
            yield from (work for _, work in column.waiting)

    def _seconds(self, work: Work) -> float:
        return self._paces.get(work.kind, 0.0) * work.size

    def _learn(self, work: Work, seconds: float) -> None:
        pace = seconds / work.size
        before = self._paces.setdefault(work.kind, pace)
        self._paces[work.kind] = before + NEWS * (pace - before)


def _busy() -> HashingBusy:
    return HashingBusy("too many passwords wait to be hashed")
