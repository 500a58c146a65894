"""Rows of `policy`: every version that a tenant took; the newest is in force."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from vault.store.tables import policy
from vault.store.writer import Transaction


class Taken(NamedTuple):
    """One version of a tenant's policy; `taken_at` in microseconds since 1970."""

    version: int
    document: str
    digest: bytes
    author: str
    proposal: str | None
    taken_at: int


_TAKEN = [policy.c[name] for name in Taken._fields]


def newest(connection: Connection, tenant: int) -> tuple[int, str] | None:
    """Return version and document of the policy in force; None where the tenant has taken none."""
    query = select(policy.c.version, policy.c.document).where(policy.c.tenant == tenant)
    row = connection.execute(query.order_by(policy.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1])


def get(connection: Connection, tenant: int, version: int) -> Taken | None:
    """Return one version; None if the tenant never took it."""
    query = select(*_TAKEN).where(policy.c.tenant == tenant, policy.c.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else Taken(*row)


def versions(connection: Connection, tenant: int, before: int | None, limit: int) -> list[Taken]:
    """Return up to `limit` versions, the newest first; `before`: only older ones than this."""
    query = select(*_TAKEN).where(policy.c.tenant == tenant)
    if before is not None:
        query = query.where(policy.c.version < before)
    return [Taken(*row) for row in connection.execute(query.order_by(policy.c.version.desc()).limit(limit))]


def add(transaction: Transaction, tenant: int, taken: Taken) -> None:
    """Put a version in force; two of one number clash."""
    values = {"tenant": tenant, **taken._asdict(), "epoch": transaction.epoch}
    transaction.connection.execute(insert(policy).values(values))


def alone(transaction: Transaction, tenant: int) -> None:
    """Let one transaction at a time take a policy of this tenant."""
    transaction.dialect.serialize(transaction.connection, f"policy {tenant}")
