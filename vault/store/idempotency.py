"""Replies kept under an Idempotency-Key, written in the commit that did the work."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from vault.columns import AlreadyDone, Reply
from vault.errors import IdempotencyKeyReused
from vault.index import bucket_of
from vault.store.tables import idempotency
from vault.store.writer import Refused, Transaction

KEPT_SECONDS = 86_400  # as Stripe documents it: at least 24 hours


def check(transaction: Transaction, tenant: int, key: bytes, fingerprint: bytes) -> None:
    """Refuse with AlreadyDone if the request was carried out before, with IdempotencyKeyReused if it was another."""
    found = transaction.connection.execute(
        select(idempotency).where(
            idempotency.c.bucket == bucket_of(key), idempotency.c.tenant == tenant, idempotency.c.key == key
        )
    ).one_or_none()
    if found is None:
        return
    if found.expires_at <= transaction.now:
        transaction.connection.execute(
            delete(idempotency).where(
                idempotency.c.bucket == bucket_of(key),
                idempotency.c.tenant == tenant,
                idempotency.c.key == key,
            )
        )
        return
    if found.fingerprint != fingerprint:
        raise Refused(IdempotencyKeyReused("this Idempotency-Key came with another request before"))
    raise Refused(AlreadyDone(Reply(found.status, found.body)))


def keep(transaction: Transaction, tenant: int, key: bytes, fingerprint: bytes, reply: Reply) -> None:
    """Keep a reply for a day."""
    transaction.connection.execute(
        insert(idempotency).values(
            bucket=bucket_of(key), tenant=tenant, key=key, fingerprint=fingerprint,
            status=reply.status, body=reply.body, expires_at=transaction.now + KEPT_SECONDS * 1_000_000,
        )
    )  # fmt: skip


def sweep(bucket: int, transaction: Transaction) -> int:
    """Delete one bucket's replies whose day is over; return how many."""
    gone = transaction.connection.execute(
        delete(idempotency).where(idempotency.c.bucket == bucket, idempotency.c.expires_at <= transaction.now)
    )
    return gone.rowcount
