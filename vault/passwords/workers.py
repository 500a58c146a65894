"""Threads that carry works out, one a processor, each in memory that is kept from one work to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any

from vault.errors import HashingUnavailable
from vault.passwords.arena import Shelf
from vault.passwords.hasher import Load
from vault.passwords.turns import Turns
from vault.passwords.work import Column, Turn, Work

IDLE_SECONDS = 5.0  # after which memory that nobody used is given back


class Workers:
    """Safe to share between threads, not to fork."""

    def __init__(
        self, ceiling: int, wait_seconds: float, threads: int, most: int, clock: Callable[[], float]
    ) -> None:
        """Start the threads; see Turns.

        Args:
            wait_seconds: how long a work waits for its turn.
            clock: gives seconds that only grow.
        """
        self._ceiling, self._wait_seconds, self._clock = ceiling, wait_seconds, clock
        self._changed = Condition()  # guards all of the following
        self._turns, self._shelf = Turns(ceiling, threads, most), Shelf()
        self._closed = False
        self._threads = [Thread(target=self._work, name=f"hashing-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def do(self, works: Sequence[Work], *, urgent: bool, seconds: float | None = None) -> list[Any]:
        """Carry works out side by side and return their results in order; raise what the first that fails raises.

        Args:
            seconds: how long they wait, if that is less than `wait_seconds`; see Column.
        Raises:
            HashTooCostly: one of them takes more memory than there ever is.
            HashingBusy: the turn of one would come too late; of a column, the others may have been done by then.
            HashingUnavailable: the threads have ended.
        """
        if not works:
            return []
        now, wait = self._clock(), self._wait_seconds
        column = Column(works, now, wait if seconds is None else min(seconds, wait), urgent)
        with self._changed:
            if self._closed:
                raise _ended()
            self._turns.join(column, now)
            self._changed.notify(len(works))
        self._await(column)
        if column.error is not None:
            raise column.error
        return column.results

    def load(self) -> Load:
        """Return how busy they are."""
        with self._changed:
            return self._turns.load()

    def kept(self) -> int:
        """Return the kibibytes that are kept for works to come."""
        with self._changed:
            return self._shelf.kept

    def close(self) -> None:
        """End the threads when each has done what it has begun; whoever waits is told."""
        with self._changed:
            self._closed = True
            self._turns.drop_all(_ended)
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        with self._changed:
            self._shelf.shrink(0)

    def _await(self, column: Column) -> None:
        try:
            while not column.over.wait(self._patience(column)):
                with self._changed:
                    self._turns.expire(column, self._clock())
                    self._changed.notify_all()  # it may have held up others
        except BaseException:  # Ctrl-C: nobody wants it any more
            with self._changed:
                self._turns.drop(column, _ended())
                self._changed.notify_all()
            raise

    def _patience(self, column: Column) -> float | None:
        """Return the seconds after which the column is late; None if all of it has begun."""
        return max(0.0, column.deadline - self._clock()) if column.waiting else None

    def _work(self) -> None:
        while self._one():  # a frame of its own for each, so that no password outlives its work
            pass

    def _one(self) -> bool:
        """Wait for a turn and carry it out; return whether there may be another one."""
        with self._changed:
            turn = self._turn()
            if turn is None:
                return False
            arena = self._shelf.take() if turn.work.mapped else None
            self._shelf.shrink(self._ceiling - self._turns.load().memory, self._clock() - IDLE_SECONDS)
        try:
            outcome = turn.work.call(arena)
        except Exception as error:  # noqa: BLE001 - raised where the work was asked for
            outcome = error
        except BaseException:  # noqa: BLE001 - such as a panic in Rust: the thread lives on, and somebody waits for it
            outcome = HashingUnavailable("the hash broke off")
        with self._changed:
            now = self._clock()
            if arena is not None:
                self._shelf.put(arena, now)
            self._turns.end(turn, now, outcome)
            self._changed.notify_all()  # there may be memory now for more than one
        return True

    def _turn(self) -> Turn | None:
        """Return the next turn when there is one; None when the threads are to end."""
        while not self._closed:
            turn = self._turns.next(self._clock())
            if turn is not None:
                return turn
            if not self._changed.wait(IDLE_SECONDS if self._shelf.kept else None):
                self._shelf.shrink(self._ceiling, self._clock() - IDLE_SECONDS)
        return None


def _ended() -> HashingUnavailable:
    return HashingUnavailable("the hasher has ended")
