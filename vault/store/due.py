"""Which buckets hold rows whose time is over, found by index in one statement."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, text

# OFFSET keeps PostgreSQL from turning the 4,096 index searches into a scan of the table.
_QUERY = (
    "WITH RECURSIVE w(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM w WHERE n < 4095) SELECT n FROM w "
    "WHERE EXISTS (SELECT 1 FROM {} t WHERE t.bucket = w.n AND t.expires_at <= :now LIMIT 1 OFFSET 0) ORDER BY n"
)


Swept = Literal["token", "idempotency", "attempt", "spending"]


def buckets(connection: Connection, table: Swept, now: int) -> list[int]:
    """Return the buckets with rows of `table` that expired by `now` (microseconds)."""
    return list(connection.execute(text(_QUERY.format(table)), {"now": now}).scalars())
