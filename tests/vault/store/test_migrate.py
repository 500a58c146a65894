"""Migrations: from nothing to this version's tables, and a difference is named."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from vault.errors import InvalidRequest, SchemaBehind
from vault.store import migrate, revision
from vault.store.database import Database
from vault.store.tables import metadata


def test_an_empty_database_is_behind(empty_url: str) -> None:
    database = Database(empty_url, time.time, time.monotonic)
    assert migrate.check(database) == ["the schema is at revision none, this version needs 0005"]
    with pytest.raises(SchemaBehind):
        revision.require_head(database)
    migrate.upgrade(database)
    migrate.upgrade(database)
    assert migrate.check(database) == []
    revision.require_head(database)
    database.close()


def test_a_difference_is_named(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_token_subject"))
        connection.execute(text("ALTER TABLE lease ADD COLUMN extra TEXT"))
    assert sorted(migrate.check(database)) == [
        "add_index: ix_token_subject",
        "remove_column: None lease extra",
    ]


def test_every_growing_table_leads_with_its_bucket() -> None:
    """So that a distributed PostgreSQL can hold it (libraries, "Many machines"); the others are small."""
    small = {
        "tenant", "key_version", "api_key", "epoch", "lease", "process", "process_keys", "job",
        "audit_log", "audit_signer", "audit_sink", "audit_health", "policy", "proposal", "approval", "frozen_caller",
        "alarm", "alarm_delivery", "installation", "backup", "backup_copy", "backup_target", "drill",
    }  # fmt: skip
    for name, table in metadata.tables.items():
        if name not in small:
            assert next(iter(table.primary_key.columns)).name == "bucket"
            assert all(next(iter(index.columns)).name in {"bucket", "epoch"} for index in table.indexes)


def test_every_table_of_values_knows_its_tenant_and_epoch() -> None:
    whole = {  # small enough to be copied whole, or of this installation alone
        "tenant", "epoch", "lease", "idempotency", "process", "process_keys", "approval",
        "audit_log", "audit_signer", "audit_sink", "audit_health", "alarm_delivery",
        "installation", "backup", "backup_copy", "backup_target", "drill",
    }  # fmt: skip
    for name, table in metadata.tables.items():
        if name not in whole:
            assert {"tenant", "epoch"} <= set(table.columns.keys())


@pytest.mark.parametrize(
    "url", ["", "canary", "mysql://u:canary@h/d", "sqlite://", "sqlite:///:memory:", "postgres:canary"]
)
def test_an_odd_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Database(url, time.time, time.monotonic)
    assert "canary" not in repr(refused.value)
