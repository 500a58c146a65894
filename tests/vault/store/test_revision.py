"""Which revision a database is at, and what need not be loaded to know."""

from __future__ import annotations

import subprocess
import sys

from alembic.script import ScriptDirectory

from vault.store import migrate, revision
from vault.store.database import Database

SERVES = (
    "import sys, api.views, api.wiring; print([one for one in ('alembic', 'psycopg') if one in sys.modules])"
)


def test_the_newest_file_is_the_newest_migration() -> None:
    assert revision.head() == ScriptDirectory(migrate.FOLDER).get_current_head()


def test_a_database_knows_where_it_is(database: Database) -> None:
    with database.read() as connection:
        assert revision.current(connection) == revision.head()


def test_what_serves_loads_no_migrations_and_no_driver_that_it_may_not_need() -> None:
    """They took a third of its start."""
    assert subprocess.check_output([sys.executable, "-c", SERVES], text=True) == "[]\n"
