"""What a drill asks of a restored database as a whole: its tenants, and rows that do not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Table, exists, func, select

from keys.keyset import SERVICE
from vault.columns import Mode
from vault.store.passwords import OF_SUBJECT
from vault.store.streams import TABLES
from vault.store.tables import index_entry, metadata, password, subject, tenant, token, tombstone

AT_MOST = 1_000  # of each kind that are counted


class Tenant(NamedTuple):
    """A business's live or test data."""

    id: int
    mode: Mode


def tenants(connection: Connection) -> list[Tenant]:
    """Return all tenants but the service itself, by id."""
    query = select(tenant.c.id, tenant.c.mode).where(tenant.c.id != SERVICE).order_by(tenant.c.id)
    return [Tenant(row.id, cast("Mode", row.mode)) for row in connection.execute(query)]


def count(connection: Connection, table: str, tenant_id: int | None = None) -> int:
    """Return how many rows a table has, of all tenants or of one; reads it whole."""
    found = metadata.tables[table]
    query = select(func.count()).select_from(found)
    if tenant_id is not None:
        query = query.where(found.c.tenant == tenant_id)
    return int(connection.execute(query).scalar_one())


def misfits(connection: Connection) -> Mapping[str, int]:
    """Return how many rows do not fit, by the code of what is wrong, counted up to 1,000; none in a sound database."""
    found = {code: _count(connection, table, where) for code, (table, where) in _WRONG.items()}
    found["row_of_no_tenant"] = sum(_strays(connection, metadata.tables[name]) for name in _OF_TENANTS)
    return {code: number for code, number in found.items() if number}


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    some = select(table.c.tenant).where(where).limit(AT_MOST).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def _strays(connection: Connection, table: Table) -> int:
    """Return how many rows are of a tenant that there is not."""
    nobody = table.c.tenant.is_not(None) & table.c.tenant.not_in(select(tenant.c.id))
    return _count(connection, table, nobody)


_OF_TENANTS = sorted(
    name
    for tables in TABLES.values()
    for name in tables
    if name in metadata.tables and "tenant" in metadata.tables[name].c
)
_ITS_ENTRY = exists().where(
    index_entry.c.bucket == token.c.index_bucket, index_entry.c.tenant == token.c.tenant,
    index_entry.c.key == token.c.index_key, index_entry.c.digest == token.c.digest,
    index_entry.c.token == token.c.token,
)  # fmt: skip
_ITS_TOKEN = exists().where(
    token.c.bucket == index_entry.c.token_bucket, token.c.tenant == index_entry.c.tenant,
    token.c.token == index_entry.c.token,
)  # fmt: skip
_ITS_TOMBSTONE = exists().where(
    tombstone.c.bucket == token.c.bucket,
    tombstone.c.tenant == token.c.tenant,
    tombstone.c.token == token.c.token,
)
_OF_PERSON = password.c.account.between(OF_SUBJECT, OF_SUBJECT + b"\xff" * 17)
_ITS_PERSON = exists().where(
    subject.c.bucket == password.c.bucket,
    subject.c.tenant == password.c.tenant,
    subject.c.digest == password.c.person,
)
_WRONG: Mapping[str, tuple[Table, ColumnElement[bool]]] = {
    "token_not_indexed": (token, token.c.index_bucket.is_not(None) & ~_ITS_ENTRY),
    "entry_of_no_token": (index_entry, ~_ITS_TOKEN),
    "password_of_no_person": (password, _OF_PERSON & ~_ITS_PERSON),
    "token_deleted_before": (token, _ITS_TOMBSTONE),
}
