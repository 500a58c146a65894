"""What a database holds, read behind the service's back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import create_engine, text

from vault.audit.leaf import Record, decode

__all__ = ["audit", "change", "counted", "damage", "deadlocks", "rows"]


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    engine = create_engine(url.replace("postgresql:", f"postgresql+{psycopg.__name__}:"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def rows(url: str, query: str, **values: object) -> list[Any]:
    """Return the rows of a query with `:name` parameters."""
    with _connection(url) as connection:
        return list(connection.execute(text(query), values))


def change(url: str, statement: str, **values: object) -> int:
    """Carry out a statement; return how many rows it changed."""
    with _connection(url) as connection:
        return int(connection.execute(text(statement), values).rowcount)


def audit(url: str) -> list[Record]:
    """Return every audit record, sealed or not."""
    query = "SELECT leaf FROM audit_record UNION ALL SELECT leaf FROM audit_leaf"
    return [decode(bytes(leaf)) for (leaf,) in rows(url, query)]


def counted(url: str) -> Counter[str]:
    """Return how many items each request id carried out, all its audit records together."""
    total: Counter[str] = Counter()
    for record in audit(url):
        total[record.request_id] += record.count
    return total


def deadlocks(url: str) -> int:
    """Return how many transactions PostgreSQL ended because they waited for each other; a second was lost with each."""
    if url.startswith("sqlite"):
        return 0
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(rows(url, query)[0][0])


def damage(url: str) -> dict[str, list[Any]]:
    """Return what does not fit together, by what is wrong with it; nothing is in a sound database."""
    queries = {
        "a token without its index entry": """
            SELECT t.token FROM token t LEFT JOIN index_entry e ON e.bucket = t.index_bucket
            AND e.tenant = t.tenant AND e.key = t.index_key AND e.digest = t.digest AND e.token = t.token
            WHERE t.index_bucket IS NOT NULL AND e.token IS NULL""",
        "an index entry without its token": """
            SELECT e.token FROM index_entry e LEFT JOIN token t ON t.bucket = e.token_bucket
            AND t.tenant = e.tenant AND t.token = e.token WHERE t.token IS NULL""",
        "a token of a subject without key": """
            SELECT t.token FROM token t LEFT JOIN subject s ON s.tenant = t.tenant AND s.digest = t.subject
            WHERE t.subject IS NOT NULL AND s.digest IS NULL""",
        "a token under another key than its subject's": """
            SELECT t.token FROM token t JOIN subject s ON s.tenant = t.tenant AND s.digest = t.subject
            WHERE t.seal_key IS NOT NULL AND t.seal_key <> s.key""",
        "a token that lies with its tombstone": """
            SELECT t.token FROM token t JOIN tombstone g ON g.bucket = t.bucket AND g.tenant = t.tenant
            AND g.token = t.token""",
        "two deterministic tokens of one value": """
            SELECT digest FROM token WHERE deterministic
            GROUP BY tenant, index_key, digest, kind HAVING count(*) > 1""",
    }
    wrong = {name: rows(url, query) for name, query in queries.items()}
    if url.startswith("sqlite"):
        checked = [row[0] for row in rows(url, "PRAGMA integrity_check")]
        wrong["SQLite's own check"] = [line for line in checked if line != "ok"]
    return {name: found for name, found in wrong.items() if found}
