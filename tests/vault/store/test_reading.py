"""Reading: an error of the database is told in our words, and the thread's next read is as good as ever."""

from __future__ import annotations

import pytest

from vault.errors import StoreUnavailable
from vault.store.database import Database


def test_a_read_that_fails_costs_the_thread_its_connection_and_nothing_else(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as failed, database.read() as connection:
            connection.exec_driver_sql("SELECT canary FROM nowhere")
        assert "canary" not in repr(failed.value)
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
