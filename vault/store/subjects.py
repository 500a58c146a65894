"""Rows of `subject`, the person keys; and the erasure ledger."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from vault.index import bucket_of
from vault.store import departures
from vault.store.dialect import Dialect, Row
from vault.store.tables import erasure, subject
from vault.store.writer import Transaction

Wrapped = tuple[int, bytes, int]  # person key id, wrapped bytes, the seal keyset version that wraps it


def known(
    connection: Connection, dialect: Dialect, tenant: int, digests: Sequence[bytes]
) -> dict[bytes, Wrapped]:
    """Return the person keys of the subjects that have one, by subject digest."""
    places = [(bucket_of(digest), digest) for digest in digests]
    columns = ("digest", "key", "wrapped", "wrap_key")
    rows = dialect.match(connection, "subject", columns, ("bucket", "digest"), tenant, places)
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def hold(transaction: Transaction, tenant: int, digests: Sequence[bytes]) -> dict[bytes, Wrapped]:
    """Return the subjects' person keys, which nobody can erase or renew before this transaction ends."""
    places = sorted((bucket_of(digest), digest) for digest in digests)
    rows = transaction.dialect.match(
        transaction.connection,
        "subject",
        ("digest", "key", "wrapped", "wrap_key"),
        ("bucket", "digest"),
        tenant,
        places,
        lock="share",
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def claim(transaction: Transaction, tenant: int, keys: dict[bytes, Wrapped]) -> set[bytes]:
    """Insert new person keys by subject digest; return the subjects that had none."""
    rows: list[Row] = [
        (bucket_of(digest), tenant, digest, *wrapped, transaction.now, transaction.epoch)
        for digest, wrapped in keys.items()
    ]
    won = transaction.dialect.claim(transaction.connection, "subject", ("bucket", "tenant", "digest"), rows)
    departures.outlive(transaction, "subject", tenant, [(key[0], key[2]) for key in won])
    return {key[2] for key in won}


def lock(transaction: Transaction, tenant: int, digest: bytes) -> int | None:
    """Return the id of a subject's person key and keep others from it; None if there is no such subject."""
    query = select(subject.c.key).where(_is(tenant, digest)).with_for_update()
    return transaction.connection.execute(query).scalar()


def forget(transaction: Transaction, tenant: int, digest: bytes) -> None:
    """Delete a person key, if there is one, and remember that."""
    gone = transaction.connection.execute(
        delete(subject).where(_is(tenant, digest)).returning(subject.c.created_at)
    ).scalar()
    if gone is not None:
        departures.enter(transaction, "subject", tenant, [(bucket_of(digest), digest, gone)])


def erase(transaction: Transaction, tenant: int, digest: bytes, key: int, tokens: int) -> bytes:
    """Delete the person key and enter the erasure in the ledger; return the entry's id, 16 bytes."""
    forget(transaction, tenant, digest)
    entry = secrets.token_bytes(16)
    transaction.connection.execute(
        insert(erasure).values(
            bucket=bucket_of(digest), tenant=tenant, id=entry, subject=digest, key=key, tokens=tokens,
            erased_at=transaction.now, epoch=transaction.epoch,
        )
    )  # fmt: skip
    return entry


def _is(tenant: int, digest: bytes) -> ColumnElement[bool]:
    return (
        (subject.c.bucket == bucket_of(digest)) & (subject.c.tenant == tenant) & (subject.c.digest == digest)
    )
