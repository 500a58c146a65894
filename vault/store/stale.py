"""Rows under another key version than their keyset's primary, by their place: what a rotation works through.

A place is bucket (2 bytes) and stored token, subject digest or account; the empty place lies before all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select

from vault.store.passwords import Password
from vault.store.tables import audit_log, audit_record, audit_signer, index_entry, password, subject, token

SLACK = 60_000_000  # microseconds after which every process writes under the new audit version


class Sealed(NamedTuple):
    """A value that no person's key seals."""

    bucket: int
    token: bytes
    field: str
    sealed: bytes | None
    metadata: bytes | None
    seal_key: int


class Indexed(NamedTuple):
    """A token that can be found by value."""

    bucket: int
    token: bytes
    field: str
    kind: int
    deterministic: bool
    scope: str
    subject: bytes | None
    sealed: bytes | None
    index_bucket: int
    index_key: int
    digest: bytes


class Person(NamedTuple):
    """A person key."""

    bucket: int
    digest: bytes
    key: int
    wrapped: bytes
    wrap_key: int


T = TypeVar("T", Sealed, Indexed)


def seals(connection: Connection, tenant: int, primary: int, after: bytes, limit: int) -> list[Sealed]:
    """Return up to `limit` tokens behind `after` that another seal version than `primary` seals, no person's."""
    where = token.c.subject.is_(None) & (token.c.seal_key != primary)
    return [
        Sealed(*row) for row in _scan(connection, token, "token", Sealed._fields, tenant, where, after, limit)
    ]


def entries(connection: Connection, tenant: int, primary: int, after: bytes, limit: int) -> list[Indexed]:
    """Return up to `limit` tokens behind `after` that another index version than `primary` finds; no one-way ones."""
    where = token.c.sealed.is_not(None) & (token.c.index_key != primary)
    return [
        Indexed(*row)
        for row in _scan(connection, token, "token", Indexed._fields, tenant, where, after, limit)
    ]


def people(
    connection: Connection, tenant: int, where: ColumnElement[bool], after: bytes, limit: int
) -> list[Person]:
    """Return up to `limit` person keys behind `after`."""
    return [
        Person(*row)
        for row in _scan(connection, subject, "digest", Person._fields, tenant, where, after, limit)
    ]


def passwords(connection: Connection, tenant: int, primary: int, after: bytes, limit: int) -> list[Password]:
    """Return up to `limit` passwords behind `after` that another version of the password keyset seals."""
    where = password.c.seal_key != primary
    return [
        Password(*row)
        for row in _scan(connection, password, "account", Password._fields, tenant, where, after, limit)
    ]


def count_passwords(connection: Connection, tenant: int, primary: int) -> int:
    """Return how many passwords `passwords` would give."""
    return _count(connection, password, tenant, password.c.seal_key != primary)


def wrapped_by_another(primary: int) -> ColumnElement[bool]:
    """Person keys that another seal version wraps."""
    return subject.c.wrap_key != primary


def made_before(micros: int) -> ColumnElement[bool]:
    """Person keys of that age."""
    return subject.c.created_at <= micros


def count_people(connection: Connection, tenant: int, where: ColumnElement[bool]) -> int:
    """Return how many person keys there are of that kind."""
    return _count(connection, subject, tenant, where)


def count_seals(connection: Connection, tenant: int, primary: int) -> int:
    """Return how many tokens `seals` would give."""
    return _count(connection, token, tenant, token.c.subject.is_(None) & (token.c.seal_key != primary))


def count_entries(connection: Connection, tenant: int, primary: int) -> int:
    """Return how many tokens `entries` would give."""
    return _count(connection, token, tenant, token.c.sealed.is_not(None) & (token.c.index_key != primary))


def under_seal(connection: Connection, tenant: int, key: int) -> dict[str, int]:
    """Return how many rows need this seal version, by what they are."""
    return {
        "tokens": _count(connection, token, tenant, token.c.subject.is_(None) & (token.c.seal_key == key)),
        "persons": _count(connection, subject, tenant, subject.c.wrap_key == key),
    }


def under_index(connection: Connection, tenant: int, key: int) -> dict[str, int]:
    """Return how many rows need this index version; a one-way token has no value to make its digest anew from."""
    mine = token.c.index_key == key
    return {
        "tokens": _count(connection, token, tenant, mine & token.c.sealed.is_not(None)),
        "one_way_tokens": _count(connection, token, tenant, mine & token.c.sealed.is_(None)),
        "index_entries": _count(connection, index_entry, tenant, index_entry.c.key == key),
    }


def under_password(connection: Connection, tenant: int, key: int) -> dict[str, int]:
    """Return how many passwords need this version of the password keyset."""
    return {"passwords": _count(connection, password, tenant, password.c.seal_key == key)}


def under_audit(connection: Connection, tenant: int, key: int, since: int, until: int) -> dict[str, int]:
    """Return how many audit records may hold token digests under this audit version, which finds them.

    Those in the inbox are told by their time, with some slack for processes that had the former version for a moment
    longer; those in the logs by the range that the log keeps, as far as it was not archived.

    Args:
        since, until: microseconds since 1970, when the version was the primary.
    """
    first, last = since.to_bytes(8, "big"), (until + SLACK).to_bytes(8, "big")
    between = (audit_record.c.id >= first) & (audit_record.c.id <= last)
    count = _count(connection, audit_record, tenant, between)
    ranges = (
        select(audit_signer.c.first, audit_signer.c.last, audit_log.c.dropped)
        .join(
            audit_log, (audit_log.c.tenant == audit_signer.c.tenant) & (audit_log.c.log == audit_signer.c.log)
        )
        .where(audit_signer.c.tenant == tenant, audit_signer.c.key == key, audit_signer.c.last.is_not(None))
    )
    for start, end, dropped in connection.execute(ranges):
        count += max(0, end + 1 - max(start, dropped))
    return {"audit_records": count}


def place_of(row: Sealed | Indexed | Person | Password) -> bytes:
    """Return the place of a row."""
    return row[0].to_bytes(2, "big") + bytes(row[1])


def _count(connection: Connection, table: Table, tenant: int, where: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(table.c.tenant == tenant, where)
    return int(connection.execute(query).scalar_one())


def _scan(
    connection: Connection,
    table: Table,
    name: str,
    columns: Sequence[str],
    tenant: int,
    where: ColumnElement[bool],
    after: bytes,
    limit: int,
) -> list[Any]:
    """Read on in the order of the primary key: first the rest of the bucket, then the buckets behind it."""
    bucket, last = (int.from_bytes(after[:2], "big"), after[2:]) if after else (-1, b"")
    found: list[Any] = []
    rest = and_(table.c.bucket == bucket, table.c[name] > last)
    for part in (rest, table.c.bucket > bucket):
        if len(found) < limit:
            query = (
                select(*[table.c[column] for column in columns])
                .where(part, table.c.tenant == tenant, where)
                .order_by(table.c.bucket, table.c.tenant, table.c[name])
                .limit(limit - len(found))
            )
            found += connection.execute(query).all()
    return found
