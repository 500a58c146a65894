"""One database: its engine, a connection a thread for reads, and one writer that commits for all waiting requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from vault.errors import InvalidRequest
from vault.store.dialect import Dialect
from vault.store.failures import translating
from vault.store.sqlite import SQLite
from vault.store.writer import Transaction, Writer

T = TypeVar("T")

BUSY_SECONDS = 30.0  # how long a writer waits for another process's commit
IDLE_SECONDS = 5.0  # a connection unused for longer is tried before it is used

_SESSION = (
    "lock_timeout=10s", "statement_timeout=60s", "idle_in_transaction_session_timeout=60s",
)  # fmt: skip


class Database:
    """SQLite or PostgreSQL, by URL; safe to share between threads, not between processes."""

    def __init__(self, url: str, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """Args: `clock` gives seconds since 1970 (UTC), `monotonic` the seconds that deadlines count in.

        Raises InvalidRequest if `url` is neither `sqlite:///path` nor `postgresql://…`.
        """
        self.clock, self._monotonic = clock, monotonic
        self.engine, self.dialect = _open(url)
        self._local = threading.local()
        self._readers: WeakSet[_Reader] = WeakSet()
        self._writer = Writer(self.engine, self.dialect, clock, monotonic)

    def now(self) -> int:
        """Return the time in microseconds since 1970 (UTC)."""
        return int(self.clock() * 1_000_000)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give this thread's own connection, in autocommit: each statement sees what is committed."""
        connection = self._own()
        with translating():
            try:
                yield connection
            except DBAPIError:
                connection.invalidate()
                self._local.reader = None  # which closes it
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread reads in the meantime see one state of the database."""
        with self.read() as connection:
            connection.exec_driver_sql(self.dialect.snapshot).close()
            try:
                yield
            finally:
                if not (connection.closed or connection.invalidated):
                    connection.exec_driver_sql("ROLLBACK").close()

    def _own(self) -> Connection:
        """Return this thread's connection; one that was idle is tried first, so that a restart costs no request."""
        reader: _Reader | None = getattr(self._local, "reader", None)
        now = self._monotonic()
        if reader is not None and now - reader.used > IDLE_SECONDS:
            try:
                reader.connection.exec_driver_sql("SELECT 1").close()
            except DBAPIError:
                reader.connection.close()
                reader = None
        if reader is None:
            reader = self._local.reader = _Reader(self.connect())
            self._readers.add(reader)
        reader.used = now
        return reader.connection

    def connect(self) -> Connection:
        """Return a connection in autocommit, which the caller closes."""
        with translating():
            return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def write(
        self,
        work: Callable[[Transaction], T],
        *,
        guard: tuple[int, int] | None = None,
        deadline: float | None = None,
        reads: bool = True,
    ) -> T:
        """Run `work` in a transaction, perhaps with other requests' work in the same one; return after the commit.

        Args:
            work: may run more than once, so it must not change anything but its transaction.
            guard: tenant and key generation that must still hold, or StaleKeyset is raised.
            deadline: monotonic seconds after which DeadlineExceeded is raised instead.
            reads: False where `work` only appends, so that it can share bulk statements with others.
        """
        with translating():
            return self._writer.run(work, guard, deadline, reads)

    def close(self) -> None:
        """Close every connection, those of other threads too; the database is not used after."""
        for reader in list(self._readers):
            reader.connection.close()
        self.engine.dispose()


class _Reader:
    """One thread's connection, which goes back to the pool when the thread ends.

    A server ends threads that were idle and starts others: connections kept for the dead would be all there are.
    """

    __slots__ = ("__weakref__", "connection", "used")

    def __init__(self, connection: Connection) -> None:
        self.connection, self.used = connection, 0.0

    def __del__(self) -> None:
        self.connection.close()


def drop(connection: Connection) -> None:
    """Close a connection with what it has not committed, in whatever state it is."""
    if not connection.closed:
        with suppress(DBAPIError):
            connection.invalidate()
        connection.close()


def _open(url: str) -> tuple[Engine, Dialect]:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidRequest("the database URL cannot be read") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return _open_sqlite(url, Path(str(parsed.database)))
    if parsed.get_backend_name() == "postgresql":
        from vault.store.postgresql import PostgreSQL  # late, for its driver: a sixth of a second

        parsed = parsed.set(drivername="postgresql+psycopg")
        options = " ".join(f"-c {option}" for option in _SESSION)
        engine = create_engine(
            parsed, pool_size=20, max_overflow=-1, pool_pre_ping=True,
            connect_args={"options": options, "connect_timeout": 5}, hide_parameters=True,
        )  # fmt: skip
        return engine, PostgreSQL()
    raise InvalidRequest("the database URL must begin with sqlite:/// and a path, or with postgresql://")


def _open_sqlite(url: str, path: Path) -> tuple[Engine, Dialect]:
    engine = create_engine(
        url, pool_size=20, max_overflow=-1, pool_reset_on_return=None, hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "cached_statements": 256},
    )  # fmt: skip

    @event.listens_for(engine, "do_connect")
    def create(_dialect: Any, _record: Any, _arguments: Any, _options: Any) -> None:
        """Make the file for its owner alone before SQLite makes it for all; its journals take the same mode.

        Only a file that is not there: closing one that SQLite has open would drop this process's locks on it.
        """
        with suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON",
            "temp_store=MEMORY", "cache_size=-65536", "mmap_size=268435456",
            "wal_autocheckpoint=4000",  # 16 MiB: a column of deterministic tokens writes half of that
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine, SQLite(path)
