"""Rows of `api_key`: found by the SHA-256 of the key's text, which needs no key of ours (256 random bits)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update

from vault.columns import ApiKeyRecord
from vault.store.tables import api_key, tenant
from vault.store.writer import Transaction

_QUERY = select(api_key, tenant.c.mode).join(tenant, tenant.c.id == api_key.c.tenant)


def by_digest(connection: Connection, digest: bytes) -> ApiKeyRecord | None:
    """Return the key with this SHA-256; None if there is none."""
    row = connection.execute(_QUERY.where(api_key.c.digest == digest)).one_or_none()
    return None if row is None else _record(row)


def of_tenant(connection: Connection, tenant_id: int) -> list[ApiKeyRecord]:
    """Return the tenant's keys, oldest first, revoked and expired ones too."""
    found = connection.execute(
        _QUERY.where(api_key.c.tenant == tenant_id).order_by(api_key.c.created_at, api_key.c.id)
    )
    return [_record(row) for row in found]


def add(transaction: Transaction, record: ApiKeyRecord, digest: bytes) -> None:
    """Insert a key."""
    transaction.connection.execute(
        insert(api_key).values(
            id=record.id, tenant=record.tenant, name=record.name, digest=digest,
            operations=" ".join(record.operations),
            fields=None if record.fields is None else " ".join(record.fields),
            created_at=int(record.created_at * 1e6), expires_at=_micros(record.expires_at),
            revoked_at=None, roles=" ".join(record.roles) or None, made_by=record.made_by, epoch=transaction.epoch,
        )
    )  # fmt: skip


def end(
    transaction: Transaction, tenant_id: int, key_id: str, *, revoked_at: int | None, expires_at: int | None
) -> bool:
    """Set when a key ends (microseconds); False if the tenant has no such key."""
    values: dict[str, Any] = {"epoch": transaction.epoch}
    if revoked_at is not None:
        values["revoked_at"] = revoked_at
    if expires_at is not None:
        values["expires_at"] = expires_at
    changed = transaction.connection.execute(
        update(api_key).where(api_key.c.tenant == tenant_id, api_key.c.id == key_id).values(**values)
    )
    return changed.rowcount == 1


def _record(row: Any) -> ApiKeyRecord:
    return ApiKeyRecord(
        row.id, row.tenant, row.mode, row.name, tuple(row.operations.split()),
        None if row.fields is None else tuple(row.fields.split()),
        row.created_at / 1e6, _seconds(row.expires_at), _seconds(row.revoked_at),
        tuple((row.roles or "").split()), row.made_by,
    )  # fmt: skip


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / 1e6


def _micros(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e6)
