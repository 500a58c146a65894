"""The audit records of a database, read from outside the vault."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from vault.audit.leaf import Record, decode


def records(database: Path) -> list[Record]:
    """Return every audit record, oldest first, sealed or not; but for what the sealer says of itself."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT leaf FROM audit_record UNION ALL SELECT leaf FROM audit_leaf"
        found = [decode(leaf) for (leaf,) in connection.execute(query)]
    return sorted((one for one in found if one.actor != "sealer"), key=lambda record: record.id)
