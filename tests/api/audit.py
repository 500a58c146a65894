"""The audit records of a database, read from outside the vault."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from vault.audit.leaf import Record, decode


def records(database: Path) -> list[Record]:
    """Return every audit record, oldest first."""
    with closing(sqlite3.connect(database)) as connection:
        leaves = [leaf for (leaf,) in connection.execute("SELECT leaf FROM audit_record")]
    return sorted(map(decode, leaves), key=lambda record: record.id)
