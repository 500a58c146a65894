"""SQLite: a restore writes a file of its own beside the one that it becomes, without any care until it is whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url

from vault.errors import StoreUnavailable
from vault.store import migrate
from vault.store.database import Database, drop
from vault.store.empty import has_schema
from vault.store.failures import translating


class Scratch:
    """A `Landing`: the file PATH-restoring, which is given the name PATH at the end."""

    def __init__(self, url: str, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """Begin; see `landing.land`."""
        parsed = make_url(url)
        self._lock, self._lock_file = -1, _named(Path(str(parsed.database)), "-writer")
        self._path = Path(str(parsed.database)).resolve()
        self._scratch = _named(self._path, "-restoring")
        self._final = Database(url, clock, monotonic)
        self.database = Database(parsed.set(database=str(self._scratch)).render_as_string(), clock, monotonic)
        try:
            self._claim()
            self._require_empty()
            self._sweep()
            with translating():
                migrate.upgrade(self.database)
            self.connection = self.database.connect()
            self._begin()
        except BaseException:
            self.abort()
            raise

    def _claim(self) -> None:
        """Keep other processes from writing into the file that will be replaced, and from restoring it, too."""
        try:
            self._lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreUnavailable("another process writes into the database, or restores it") from None
        except OSError as error:
            raise StoreUnavailable(f"the database's folder cannot be written ({error.strerror})") from None

    def _require_empty(self) -> None:
        """Look into the file, if there is one; whoever else has it open would go on with it after it is replaced."""
        if self._path.exists() and self._path.stat().st_size:
            has_schema(self._final)  # or nothing: the file will be replaced
        self._final.close()
        for left in _beside(self._path):
            if left.exists():
                raise StoreUnavailable("another process has the database open, or left its journal behind")

    def _begin(self) -> None:
        with translating():
            for statement in (
                "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-262144", "BEGIN",
            ):  # fmt: skip
                self.connection.exec_driver_sql(statement).close()

    def finish(self) -> None:
        """Sync the file, then give it its name."""
        with translating():
            for statement in ("COMMIT", "PRAGMA synchronous=FULL", "PRAGMA journal_mode=WAL"):
                self.connection.exec_driver_sql(statement).close()
            self.connection.close()
            self.database.close()
        try:
            _sync(self._scratch)
            self._scratch.rename(self._path)
            _sync(self._path.parent)
        except OSError as error:
            raise StoreUnavailable(f"the database cannot be put in place ({error.strerror})") from None
        self.abort()

    def abort(self) -> None:
        """Remove the file."""
        if hasattr(self, "connection"):
            drop(self.connection)
        self.database.close()
        self._final.close()
        if self._lock >= 0:
            self._sweep()
            os.close(self._lock)
            self._lock = -1

    def _sweep(self) -> None:
        """Remove the file with those beside it: what a crash left, too."""
        for left in (self._scratch, *_beside(self._scratch), _named(self._scratch, "-writer")):
            left.unlink(missing_ok=True)


def _named(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _beside(path: Path) -> list[Path]:
    """Return SQLite's files beside a database."""
    return [_named(path, ending) for ending in ("-wal", "-shm", "-journal")]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
