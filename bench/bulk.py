"""The peer of a column: a bare bulk insert of its rows into the same schema by SQLAlchemy Core, one commit a column."""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import Connection, Table, insert

from vault.store import migrate
from vault.store.database import Database
from vault.store.tables import audit_record, index_entry, token

Row = dict[str, Any]
TENANT, KEY, AUDIT_HEAD = 2**62, 2**61, 250  # AUDIT_HEAD: bytes of an audit leaf besides its tokens' digests


class Bulk:
    """One connection of one process, with the settings that the service's connections have."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, time.time, time.monotonic)
        migrate.upgrade(self._database)
        self._connection = self._database.engine.connect()

    def rate(self, columns: int, size: int) -> float:
        """Insert `columns` columns of `size`; return values a second. Rows are made outside the time taken."""
        spent = 0.0
        for _ in range(columns):
            rows = _rows(size)
            start = time.perf_counter()
            with self._connection.begin():
                _insert(self._connection, rows)
            spent += time.perf_counter() - start
        return columns * size / spent

    def close(self) -> None:
        self._connection.close()
        self._database.close()


def token_row(bucket: int, text: bytes, digest: bytes, sealed: bytes) -> Row:
    """Return a row of `token` as a fresh token of a card has it."""
    return {
        "bucket": bucket, "tenant": TENANT, "token": text, "field": "bank_card", "kind": 1, "deterministic": False,
        "scope": "bank_card", "subject": None, "sealed": sealed, "metadata": None, "seal_key": KEY,
        "index_bucket": bucket, "index_key": KEY, "digest": digest, "source": None,
        "created_at": time.time_ns() // 1000, "expires_at": None, "epoch": 1,
    }  # fmt: skip


def _rows(size: int) -> list[tuple[Table, list[Row]]]:
    """Return what one column of cards leaves in each table: as many rows, as many bytes, in one bucket."""
    bucket, draw = secrets.randbelow(4096), secrets.token_bytes
    drawn = [(b"\1" + draw(16), draw(16), draw(16 + 37)) for _ in range(size)]
    tokens = [token_row(bucket, *parts) for parts in drawn]
    entries = [
        {
            "bucket": bucket, "tenant": TENANT, "key": KEY, "digest": digest, "tie": text,
            "token_bucket": bucket, "token": text, "epoch": 1,
        }
        for text, digest, _ in drawn
    ]  # fmt: skip
    leaf = draw(AUDIT_HEAD + 16 * size)
    record = {"bucket": secrets.randbelow(4096), "tenant": TENANT, "id": draw(16), "leaf": leaf, "epoch": 1}
    return [(token, tokens), (index_entry, entries), (audit_record, [record])]


def _insert(connection: Connection, rows: list[tuple[Table, list[Row]]]) -> None:
    for table, records in rows:
        connection.execute(insert(table), records)
