"""Group commit: whoever finds the writer free carries out the waiting work of all requests in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from vault.errors import DeadlineExceeded, StaleKeyset
from vault.store.dialect import Dialect

T = TypeVar("T")

MAX_GROUP = 64  # requests in one commit
ATTEMPTS = 5  # after a deadlock or a clash with another process's work


class Transaction:
    """An open write transaction: its connection, epoch and time in microseconds."""

    def __init__(self, connection: Connection, dialect: Dialect, epoch: int, now: int) -> None:
        self.connection, self.dialect, self.epoch, self.now = connection, dialect, epoch, now
        self._appended: dict[str, list[tuple[Any, ...]]] = {}

    def append(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert `rows`, which lack their last column (the epoch), in bulk before the commit; they must not clash."""
        epoch = (self.epoch,)
        self._appended.setdefault(table, []).extend([row + epoch for row in rows])

    def flush(self) -> None:
        """Insert what was appended, one bulk statement a table."""
        appended, self._appended = self._appended, {}
        for table, rows in appended.items():
            if rows:
                self.dialect.insert(self.connection, table, rows)


class _Unit:
    """One request's work and what came of it."""

    __slots__ = ("deadline", "done", "error", "guard", "reads", "result", "wake", "work")

    def __init__(
        self,
        work: Callable[[Transaction], Any],
        guard: tuple[int, int] | None,
        deadline: float | None,
        reads: bool,
    ) -> None:
        self.work, self.guard, self.deadline, self.reads = work, guard, deadline, reads
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.wake = threading.Event()

    def outcome(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.result


class Writer:
    """Runs units of work in shared transactions, on as many lanes as the database takes writers."""

    def __init__(
        self, engine: Engine, dialect: Dialect, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._engine, self._dialect, self._clock, self._monotonic = engine, dialect, clock, monotonic
        self._lock = threading.Lock()
        self._waiting: list[_Unit] = []
        self._free = dialect.lanes

    def run(
        self,
        work: Callable[[Transaction], T],
        guard: tuple[int, int] | None,
        deadline: float | None,
        reads: bool = True,
    ) -> T:
        """Carry out `work`, or wait for the thread that does; return its result after the commit.

        A unit that `reads` sees what earlier units of its group wrote; one that does not only appends.
        """
        unit = _Unit(work, guard, deadline, reads)
        with self._lock:
            self._waiting.append(unit)
        while not unit.done:
            group = self._lead()
            if group:
                self._serve(group)
            elif not unit.done:
                self._wait(unit)
        return unit.outcome()  # type: ignore[no-any-return]

    def _lead(self) -> list[_Unit]:
        with self._lock:
            if self._free == 0 or not self._waiting:
                return []
            self._free -= 1
            group = self._next_group()
            self._wake_heir()
            return group

    def _next_group(self) -> list[_Unit]:
        """Take the next units off the queue.

        Where groups are written side by side, at most one unit of each reads and so takes locks: two that hold what
        one of their units took and wait for what the other's next unit wants would never end.
        """
        group: list[_Unit] = []
        left: list[_Unit] = []
        several, reads = self._dialect.lanes == 1, False
        for unit in self._waiting:
            fits = len(group) < MAX_GROUP and (several or not (unit.reads and reads))
            (group if fits else left).append(unit)
            reads |= fits and unit.reads
        self._waiting = left
        return group

    def _wake_heir(self) -> None:
        """Let the first who waits lead a group, if one more may be written now."""
        if self._free and self._waiting:
            self._waiting[0].wake.set()

    def _serve(self, group: list[_Unit]) -> None:
        try:
            self._commit(group)
        except BaseException as error:
            for unit in group:
                unit.error = unit.error or error
            raise
        finally:
            for unit in group:
                unit.done = True
                unit.wake.set()
            with self._lock:
                self._free += 1
                self._wake_heir()

    def _wait(self, unit: _Unit) -> None:
        left = None if unit.deadline is None else max(0.0, unit.deadline - self._monotonic())
        if unit.wake.wait(left):
            unit.wake.clear()
            return
        with self._lock:
            if unit in self._waiting:
                self._waiting.remove(unit)
                self._wake_heir()  # it may have been this one's turn
                raise DeadlineExceeded("the request waited too long for its turn; nothing was written")
        unit.deadline = None  # under way: its outcome must be known

    def _commit(self, group: list[_Unit]) -> None:
        """Commit the group as one; if anything fails, each unit alone, so that none pays for another."""
        try:
            self._attempt(group)
        except Exception as error:  # noqa: BLE001
            if len(group) == 1 and not self._dialect.worth_retrying(error):
                group[0].error = error
                return
            for unit in group:
                self._alone(unit)

    def _alone(self, unit: _Unit) -> None:
        for attempt in range(ATTEMPTS):
            unit.error = unit.result = None
            try:
                return self._attempt([unit])
            except Exception as error:  # noqa: BLE001
                unit.error = error
                if attempt + 1 == ATTEMPTS or not self._dialect.worth_retrying(error):
                    return None
        return None

    def _attempt(self, group: list[_Unit]) -> None:
        with self._dialect.turn(), self._engine.connect() as connection, connection.begin():
            guards = {unit.guard[0] for unit in group if unit.guard}
            epoch, generations = self._dialect.guard(connection, guards)
            transaction = Transaction(connection, self._dialect, epoch, int(self._clock() * 1_000_000))
            for unit in group:
                if unit.deadline is not None and self._monotonic() > unit.deadline:
                    unit.error = DeadlineExceeded("the request waited too long; nothing was written")
                elif unit.guard and generations.get(unit.guard[0]) != unit.guard[1]:
                    unit.error = StaleKeyset("the keyset changed after the values were sealed")
                else:
                    self._work(unit, transaction)
            transaction.flush()

    @staticmethod
    def _work(unit: _Unit, transaction: Transaction) -> None:
        if unit.reads:
            transaction.flush()
        try:
            unit.result = unit.work(transaction)
        except Refused as refused:
            unit.error = refused.error


class Refused(Exception):
    """Raised by work that is done, and came to nothing: the others of its group go on, `error` reaches the caller.

    What it has written stands, such as the record of the refusal; all else it must not have begun.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__("refused")
        self.error = error


class Overtaken(Exception):
    """Raised by work that somebody else's commit made stale; the caller prepares it again."""
