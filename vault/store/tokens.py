"""Rows of `token` and their index entries: read, claim, delete, list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, TypeVar, cast

from sqlalchemy import Connection, and_, or_, select

from vault.columns import Kind
from vault.index import bucket_of
from vault.store import passwords, subjects
from vault.store.dialect import Dialect, Row
from vault.store.tables import token
from vault.store.writer import Transaction

KINDS: dict[Kind, int] = {"opaque": 1, "shaped": 2, "one_way": 3}
KIND_NAMES: dict[int, Kind] = {number: name for name, number in KINDS.items()}

Place = tuple[int, bytes]  # bucket and stored token


class Stored(NamedTuple):
    """What is read of a token to describe it; times in microseconds."""

    bucket: int
    token: bytes
    field: str
    kind: int
    deterministic: bool
    scope: str
    subject: bytes | None
    sealed: bytes | None
    metadata: bytes | None
    seal_key: int | None
    source: str | None
    created_at: int
    expires_at: int | None
    tags: str | None


class Sealed(NamedTuple):
    """What is read of a token to reveal its value: the less, the faster."""

    token: bytes
    field: str
    subject: bytes | None
    sealed: bytes | None
    expires_at: int | None


class Watched(NamedTuple):
    """What is read of a token to reveal its value where a policy looks at more of it than its field."""

    token: bytes
    field: str
    subject: bytes | None
    sealed: bytes | None
    expires_at: int | None
    created_at: int
    tags: str | None


class Gone(NamedTuple):
    """What is told of a token that was deleted."""

    field: str
    subject: bytes | None


class Owned(NamedTuple):
    """What is read of a token to give it out again."""

    token: bytes
    subject: bytes | None
    expires_at: int | None


R = TypeVar("R", bound=Stored | Sealed | Watched | Owned)


def fetch(
    connection: Connection, dialect: Dialect, tenant: int, places: Sequence[Place], kind: type[R]
) -> dict[bytes, R]:
    """Return the tokens that exist among `places`, by stored form."""
    rows = dialect.match(connection, "token", kind._fields, ("bucket", "token"), tenant, places)
    at, make = kind._fields.index("token"), cast("Callable[[Row], R]", kind._make)
    return {row[at]: make(row) for row in rows}


def taken(connection: Connection, dialect: Dialect, tenant: int, places: Sequence[Place]) -> set[bytes]:
    """Return which of `places` hold a token, or held one: a deleted token never comes back for another value."""
    return {
        row[0]
        for table in ("token", "tombstone")
        for row in dialect.match(connection, table, ("token",), ("bucket", "token"), tenant, places)
    }


def buried(connection: Connection, dialect: Dialect, tenant: int, places: Sequence[Place]) -> set[bytes]:
    """Return which of `places` held a token that was deleted, erased or has expired."""
    found = dialect.match(connection, "tombstone", ("token",), ("bucket", "token"), tenant, places)
    return {row[0] for row in found}


def entry_tie(kind: int, fixed: bool, token: bytes) -> bytes:
    """Return what tells the index entries of one value apart.

    One byte, the kind, for its one deterministic token of that kind: a caller who asks for a value back must not get a
    one-way token that another made. A fresh token's entry has the stored token itself, which is longer.
    """
    return bytes([kind]) if fixed else token


def deterministic(
    connection: Connection,
    dialect: Dialect,
    tenant: int,
    kind: Kind,
    entries: Sequence[tuple[int, int, bytes]],
) -> dict[bytes, Place]:
    """Return where the one token of each entry lies, by digest; `entries` are bucket, index key and digest."""
    keys = [(*entry, entry_tie(KINDS[kind], True, b"")) for entry in entries]
    columns = ("digest", "token_bucket", "token")
    rows = dialect.match(connection, "index_entry", columns, ("bucket", "key", "digest", "tie"), tenant, keys)
    return {row[0]: (row[1], row[2]) for row in rows}


def claim(transaction: Transaction, rows: Sequence[Row]) -> set[bytes]:
    """Insert deterministic index entries that are not there yet; return the digests of those that were not."""
    key = ("bucket", "tenant", "key", "digest", "tie")
    won = transaction.dialect.claim(
        transaction.connection, "index_entry", key, [(*row, transaction.epoch) for row in rows]
    )
    return {found[3] for found in won}


def find(connection: Connection, dialect: Dialect, tenant: int, key: int, digest: bytes) -> list[Place]:
    """Return every token whose value has this digest under this index version, in any bucket."""
    columns, equal = ("token_bucket", "token"), {"key": key, "digest": digest}
    return [(row[0], row[1]) for row in dialect.anywhere(connection, "index_entry", columns, tenant, equal)]


def of_subject(
    connection: Connection, dialect: Dialect, tenant: int, digest: bytes, without: Collection[str] = ()
) -> list[Place]:
    """Return every token of a subject, in any bucket, but those of the field types `without`."""
    columns = ("bucket", "token", "field")
    found = dialect.anywhere(connection, "token", columns, tenant, {"subject": digest})
    return [(row[0], row[1]) for row in found if row[2] not in without]


def remove(transaction: Transaction, tenant: int, places: Sequence[Place]) -> dict[bytes, Gone]:
    """Delete tokens with their index entries and passwords, leave a tombstone for each; return those that existed.

    In the order of their stored forms.
    """
    connection, dialect = transaction.connection, transaction.dialect
    columns = (
        "bucket", "token", "kind", "deterministic", "index_bucket", "index_key", "digest", "subject", "field",
    )  # fmt: skip
    # Held, for a rotation of the index keyset moves the entry of a row from one key to the other.
    found = dialect.match(
        connection, "token", columns, ("bucket", "token"), tenant, sorted(places), lock="update"
    )
    entries = [
        (index_bucket, index_key, digest, entry_tie(kind, fixed, text))
        for _, text, kind, fixed, index_bucket, index_key, digest, *_ in found
        if index_bucket is not None
    ]
    dialect.delete(connection, "index_entry", ("bucket", "key", "digest", "tie"), tenant, entries)
    gone = [(row[0], row[1]) for row in found]
    dialect.delete(connection, "token", ("bucket", "token"), tenant, gone)
    dialect.insert(
        connection, "tombstone", [(bucket, tenant, text, transaction.epoch) for bucket, text in gone]
    )
    persons = passwords.remove(transaction, tenant, gone) if gone else {}
    for person in sorted(persons[row[1]] for row in found if row[1] in persons and row[7] is None):
        # A login of nobody was a person of its own, known by nothing else: what was recorded of it goes, too.
        remove(transaction, tenant, of_subject(connection, dialect, tenant, person))
        subjects.forget(transaction, tenant, person)
    return {row[1]: Gone(row[8], row[7]) for row in sorted(found, key=lambda row: row[1])}


def newest(
    connection: Connection, tenant: int, subject: bytes, field: str, before: Place, since: int, limit: int
) -> list[Stored]:
    """Return up to `limit` of a subject's tokens of one field, the newest first, that lie in the subject's own bucket.

    Args:
        before: microseconds and stored token, behind which the page begins; only what is older comes.
        since: microseconds; only what is not older comes.
    """
    until, last = before
    where = [
        token.c.bucket == bucket_of(subject),
        token.c.tenant == tenant,
        token.c.subject == subject,
        token.c.field == field,
        token.c.created_at >= since,
        or_(token.c.created_at < until, and_(token.c.created_at == until, token.c.token < last)),
    ]
    query = select(*[token.c[name] for name in Stored._fields]).where(*where)
    query = query.order_by(token.c.created_at.desc(), token.c.token.desc()).limit(limit)
    return [Stored(*row) for row in connection.execute(query)]


def page(
    connection: Connection, tenant: int, after: Place, limit: int, fields: Iterable[str] | None
) -> list[Stored]:
    """Return up to `limit` of the tenant's tokens behind `after`, in the order of bucket and stored form.

    Args:
        fields: the field types wanted; None for all.
    """
    bucket, last = after
    where = [
        token.c.tenant == tenant,
        or_(token.c.bucket > bucket, and_(token.c.bucket == bucket, token.c.token > last)),
        token.c.bucket >= bucket,
    ]
    if fields is not None:
        where.append(token.c.field.in_(sorted(fields)))
    columns = [token.c[name] for name in Stored._fields]
    query = select(*columns).where(*where).order_by(token.c.bucket, token.c.token).limit(limit)
    return [Stored(*row) for row in connection.execute(query)]


def expired(
    connection: Connection, bucket: int, now: int, limit: int, without: Collection[int] = ()
) -> list[tuple[int, bytes]]:
    """Return tenant and stored form of tokens of one bucket whose time is over, but those of the tenants `without`."""
    over = [token.c.bucket == bucket, token.c.expires_at <= now]
    if without:
        over.append(token.c.tenant.not_in(sorted(without)))
    query = select(token.c.tenant, token.c.token).where(*over).limit(limit)
    return [(row[0], row[1]) for row in connection.execute(query)]
