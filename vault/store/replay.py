"""What a restore asks the rows that it has loaded: who was erased, and which keys they need."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, func, select

from vault.index import bucket_of
from vault.store.departures import KINDS
from vault.store.dialect import COLUMNS, Dialect, Row
from vault.store.tables import metadata


def erased(
    connection: Connection, dialect: Dialect, tenant: int, digests: Collection[bytes]
) -> set[tuple[bytes, int]]:
    """Return which of these subjects were erased, each with the person key that was destroyed."""
    places = [(bucket_of(digest), digest) for digest in digests]
    found = dialect.match(connection, "erasure", ("subject", "key"), ("bucket", "subject"), tenant, places)
    return {(bytes(row[0]), row[1]) for row in found}


def persons(connection: Connection, dialect: Dialect, places: Sequence[Row]) -> list[Row]:
    """Return the whole rows of persons by bucket, tenant and digest; of those that there are."""
    return dialect.look_up(connection, "subject", COLUMNS["subject"], ("bucket", "tenant", "digest"), places)


def departed(connection: Connection, dialect: Dialect, tenant: int, digests: Collection[bytes]) -> set[bytes]:
    """Return which of these subjects left at some time, erased or not."""
    places = [(bucket_of(digest), KINDS["subject"], digest) for digest in digests]
    found = dialect.match(connection, "departure", ("id",), ("bucket", "kind", "id"), tenant, places)
    return {bytes(row[0]) for row in found}


def under_keys(connection: Connection, table: str, column: str) -> Sequence[tuple[int, int, int]]:
    """Return tenant, key version and how many rows of a table name it in that column."""
    its = metadata.tables[table].c
    query = select(its.tenant, its[column], func.count()).where(its[column].is_not(None))
    return [(row[0], row[1], row[2]) for row in connection.execute(query.group_by(its.tenant, its[column]))]
