"""An empty database with this version's schema, on SQLite and on PostgreSQL in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from vault.store.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, time.time, time.monotonic)
    yield opened
    opened.close()


@pytest.fixture
def another(database: Database, database_url: str) -> Iterator[Database]:
    """A second process's view of the same database."""
    opened = Database(database_url, time.time, time.monotonic)
    yield opened
    opened.close()
