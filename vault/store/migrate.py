"""Bring a database to this version's schema, and say whether it is there (alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from vault.store import revision
from vault.store.database import Database
from vault.store.tables import metadata

FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Apply the migrations that are missing, in one transaction; nothing changes if one fails."""
    config = _config()
    with database.dialect.turn(), database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> list[str]:
    """Return how the schema differs from what this version needs; empty if it does not."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        current, head = context.get_current_revision(), revision.head()
        if current != head:
            return [f"the schema is at revision {current or 'none'}, this version needs {head}"]
        return [_words(difference) for difference in compare_metadata(context, metadata)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _words(difference: object) -> str:
    kind = difference[0] if isinstance(difference, tuple) else difference
    names = (
        [str(getattr(part, "name", part)) for part in difference[1:]] if isinstance(difference, tuple) else []
    )
    return f"{kind}: {' '.join(names)}"
