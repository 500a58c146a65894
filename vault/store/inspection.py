"""What `strongroom doctor` asks a database about itself; nothing here is on the way of a request."""

from __future__ import annotations

import re

from sqlalchemy import select

from keys.keyset import SERVICE
from vault.store.database import Database
from vault.store.tables import key_version, tenant


def roots(database: Database) -> set[str]:
    """Return the names of the root keys that stored keysets are wrapped under; empty before the first tenant."""
    with database.read() as connection:
        return set(connection.execute(select(key_version.c.root).distinct()).scalars())


def tenants(database: Database) -> list[int]:
    """Return the ids of all tenants, the service itself among them; live and test data of one business are two."""
    with database.read() as connection:
        return list(connection.execute(select(tenant.c.id)).scalars())


def due(database: Database) -> list[int]:
    """Return the tenants that have key versions whose destruction is due."""
    over = key_version.c.destroy_at <= database.now()
    with database.read() as connection:
        return list(connection.execute(select(key_version.c.tenant).where(over).distinct()).scalars())


def tenant_names(database: Database) -> dict[int, str]:
    """Return what people call each tenant: its business and mode. The service itself is none."""
    with database.read() as connection:
        businesses = tenant.c.id != SERVICE
        found = connection.execute(select(tenant.c.id, tenant.c.name, tenant.c.mode).where(businesses))
        return {row.id: f"{row.name} ({row.mode})" for row in found}


def version(database: Database) -> tuple[str, tuple[int, ...]]:
    """Return the kind of database and its version."""
    with database.read() as connection:
        if connection.dialect.name == "sqlite":
            kind, text = "SQLite", connection.exec_driver_sql("SELECT sqlite_version()").scalar_one()
        else:
            kind, text = "PostgreSQL", connection.exec_driver_sql("SHOW server_version").scalar_one()
        return kind, tuple(map(int, re.findall(r"\d+", str(text).split(" ")[0])))


def durability(database: Database) -> dict[str, str]:
    """Return the settings that a durable commit rests on, in lower case; `DURABLE` has the good ones."""
    with database.read() as connection:
        if connection.dialect.name == "sqlite":
            names = [("journal_mode", "PRAGMA journal_mode"), ("synchronous", "PRAGMA synchronous")]
        else:
            names = [(name, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]
        return {name: str(connection.exec_driver_sql(query).scalar()).lower() for name, query in names}


# SQLite: ON CONFLICT and RETURNING as we use them (sqlite.org/releaselog/3_35_0.html). PostgreSQL: still maintained.
LEAST = {"SQLite": (3, 35), "PostgreSQL": (14,)}

DURABLE = {
    "journal_mode": {"wal"},
    "synchronous": {"2", "3"},  # FULL, EXTRA (sqlite.org/pragma.html)
    "fsync": {"on"},
    "synchronous_commit": {"on", "remote_write", "remote_apply"},
    "full_page_writes": {"on"},
}


def skew(database: Database) -> float:
    """Return how many seconds this machine's clock is ahead of the database server's; 0 for SQLite."""
    with database.read() as connection:
        if connection.dialect.name == "sqlite":
            return 0.0
        theirs = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
        return float(database.clock()) - float(theirs)
