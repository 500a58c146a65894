"""Rows of `password`: sealed verifiers, each of one account; read, put in, changed, removed, counted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, update

from vault.index import bucket_of
from vault.store import departures
from vault.store.dialect import Dialect, Row
from vault.store.tables import password
from vault.store.writer import Transaction

OF_SUBJECT = b"\x10"  # in front of a subject digest; stored tokens begin with 0x01 or 0x02

Place = tuple[int, bytes]  # bucket and account


class Password(NamedTuple):
    """What is read of a password to verify it."""

    bucket: int
    account: bytes
    sealed: bytes
    seal_key: int
    kind: str
    person: bytes
    revision: int


def of_subject(digest: bytes) -> Place:
    """Return where the password of a subject lies that was stored for the subject itself."""
    return bucket_of(digest), OF_SUBJECT + digest


def get(connection: Connection, dialect: Dialect, tenant: int, place: Place) -> Password | None:
    """Return an account's password; None if it has none."""
    rows = dialect.match(connection, "password", Password._fields, ("bucket", "account"), tenant, [place])
    return Password(*rows[0]) if rows else None


def known(connection: Connection, dialect: Dialect, tenant: int, places: Sequence[Place]) -> set[bytes]:
    """Return which of these accounts have a password."""
    rows = dialect.match(connection, "password", ("account",), ("bucket", "account"), tenant, places)
    return {row[0] for row in rows}


def hold(transaction: Transaction, tenant: int, place: Place) -> int | None:
    """Return the revision of an account's password, which nobody changes before the commit; None if it has none."""
    query = select(password.c.revision).where(_is(tenant, place)).with_for_update()
    return transaction.connection.execute(query).scalar()


def claim(transaction: Transaction, rows: Sequence[Row]) -> set[bytes]:
    """Put in a tenant's whole rows, without their epoch, of accounts that have no password yet; return those."""
    key = ("bucket", "tenant", "account")
    won = transaction.dialect.claim(
        transaction.connection, "password", key, [(*row, transaction.epoch) for row in rows]
    )
    if won:
        departures.outlive(transaction, "password", rows[0][1], [(found[0], found[2]) for found in won])
    return {found[2] for found in won}


def row(tenant: int, place: Place, sealed: bytes, key: int, kind: str, person: bytes, now: int) -> Row:
    """Return a new password's row without its epoch; `now` in microseconds.

    Its revision is drawn: a password deleted and stored anew must not pass for the one that was there before.
    """
    return (place[0], tenant, place[1], sealed, key, kind, person, secrets.randbits(62), now, now)


def change(
    transaction: Transaction, tenant: int, place: Place, sealed: bytes, key: int, kind: str, *, chosen: bool
) -> None:
    """Give an account another verifier; `chosen`: of another password, not of the same one under other parameters."""
    values: dict[str, object] = {
        "sealed": sealed, "seal_key": key, "kind": kind, "revision": password.c.revision + 1,
        "epoch": transaction.epoch,
    }  # fmt: skip
    if chosen:
        values["changed_at"] = transaction.now
    transaction.connection.execute(update(password).where(_is(tenant, place)).values(values))


def remove(transaction: Transaction, tenant: int, places: Sequence[Place]) -> dict[bytes, bytes]:
    """Delete the passwords of these accounts, and remember that; return by account whose log-ins were recorded."""
    connection, dialect = transaction.connection, transaction.dialect
    columns, on = ("bucket", "account", "created_at", "person"), ("bucket", "account")
    found = dialect.match(connection, "password", columns, on, tenant, sorted(places), lock="update")
    dialect.delete(connection, "password", on, tenant, [(row[0], row[1]) for row in found])
    departures.enter(transaction, "password", tenant, [(row[0], row[1], row[2]) for row in found])
    return {row[1]: row[3] for row in found}


def count(connection: Connection, tenant: int) -> dict[str, int]:
    """Return how many passwords there are of each kind; reads the whole table."""
    query = select(password.c.kind, func.count()).where(password.c.tenant == tenant)
    return {row[0]: row[1] for row in connection.execute(query.group_by(password.c.kind))}


def _is(tenant: int, place: Place) -> ColumnElement[bool]:
    bucket, account = place
    return (password.c.bucket == bucket) & (password.c.tenant == tenant) & (password.c.account == account)
