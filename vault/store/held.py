"""A database over one open transaction: whoever works on it sees what was written, nobody else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from vault.store.database import Database
from vault.store.dialect import Dialect
from vault.store.failures import translating
from vault.store.writer import Refused, Transaction

T = TypeVar("T")


class Held(Database):
    """For one thread. It commits nothing: after any error, the transaction is of no use any more."""

    def __init__(
        self, connection: Connection, dialect: Dialect, clock: Callable[[], float], epoch: Callable[[], int]
    ) -> None:
        """Args: `epoch` gives that of what is written now."""
        self.clock, self.engine, self.dialect = clock, connection.engine, dialect
        self._connection, self._epoch = connection, epoch

    def connect(self) -> Connection:
        """There is no other connection that sees what this one does."""
        raise NotImplementedError

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give the connection."""
        with translating():
            yield self._connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Nobody else writes."""
        yield

    def write(
        self,
        work: Callable[[Transaction], T],
        *,
        guard: tuple[int, int] | None = None,
        deadline: float | None = None,
        reads: bool = True,
    ) -> T:
        """Run `work`; nobody else writes, so nothing is guarded."""
        with self.read() as connection:
            transaction = Transaction(connection, self.dialect, self._epoch(), self.now())
            try:
                return work(transaction)
            except Refused as refused:
                raise refused.error from None
            finally:
                transaction.flush()

    def close(self) -> None:
        """Whoever opened the transaction ends it."""
