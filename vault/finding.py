"""Tokens found by value, or listed page by page; each answer after its audit record is durable."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from keys.keyset import Purpose
from keys.openkeys import OpenKey, TenantKeys
from vault import fields, index
from vault.columns import MAX_FIND, Actor, Found, Page
from vault.errors import DeadlineExceeded, InvalidRequest, NotSearchable, StaleKeyset, VaultError
from vault.permitting import Permit, permit, touched
from vault.resources import Resources, description, look_up, public, record
from vault.store.tokens import Place, Stored, fetch, find, of_subject, page

ATTEMPTS = 8  # a keyset that turned while values were looked up


def find_column(
    resources: Resources,
    actor: Actor,
    field: str,
    values: Sequence[object],
    scope: str | None,
    options: Mapping[str, object],
) -> Found:
    """Return the tokens of each value; see `Vault.find`."""
    kind, given = fields.get(field), permit(resources, actor, "find")
    given.reach(field)
    if not kind.lookup:
        raise NotSearchable(f"{field}: values of this type are not indexed", "/field")
    if len(values) > MAX_FIND:
        raise InvalidRequest(f"at most {MAX_FIND} values are looked up in one request", "/values")
    normal, refused = fields.normalize_column(field, values, options)
    errors: dict[int, VaultError] = dict(refused)
    texts = list(dict.fromkeys(text for text in normal if text is not None))
    keys, places = _search(resources, actor, field, scope or field, texts)
    matches = _matches(given, places)
    found = dict(zip(texts, matches, strict=True))
    facts = touched([row for rows in matches for row in rows])
    facts["field"] = field
    row = given.row(keys, resources.database.now(), facts, refused=len(errors))
    record(resources, actor, row)
    return Found([None if text is None else public(actor, found[text]) for text in normal], errors)


def list_page(
    resources: Resources, actor: Actor, field: str | None, subject: str | None, cursor: str | None, limit: int
) -> Page:
    """Return one page of the tenant's tokens; see `Vault.list_tokens`."""
    if not 1 <= limit <= 1_000:
        raise InvalidRequest("limit must be 1 to 1,000", "/limit")
    given, after = permit(resources, actor, "list"), _place(cursor)
    if field is not None:
        fields.get(field)
        given.reach(field)
    keys = resources.keyring.keys(actor.tenant)
    if subject is None:
        rows = _page(given, field, after, limit + 1)
    else:
        digest = index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, [subject])[0]
        rows = _subject_page(given, digest, after, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    facts = touched(rows)
    facts["field"] = field or ""
    record(resources, actor, given.row(keys, resources.database.now(), facts))
    return Page([description(actor, row) for row in rows], _cursor(rows[-1]) if more else None)


def _page(given: Permit, field: str | None, after: Place, limit: int) -> list[Stored]:
    """Return up to `limit` tokens behind `after` that the caller may see, of one field, or of those that it reaches.

    Looks on behind tokens that it may not see, for as long as its request may take: a page that ended at one of them
    would have to tell where the next begins, and so which token that is.
    """
    actor, database = given.actor, given.resources.database
    wanted = actor.fields if field is None else {field}
    rows: list[Stored] = []
    while True:
        with database.read() as connection:
            found = page(connection, actor.tenant, after, limit, wanted)
        rows += _visible(given, found)
        if len(rows) >= limit or len(found) < limit:
            return rows[:limit]
        _in_time(given)
        after = found[-1].bucket, found[-1].token


def _visible(given: Permit, found: Sequence[Stored]) -> list[Stored]:
    barred = given.judge(found)
    return [row for row in found if row.token not in barred]


def _in_time(given: Permit) -> None:
    deadline = given.actor.deadline
    if deadline is not None and given.resources.monotonic() > deadline:
        raise DeadlineExceeded("too many tokens lie here that the caller may not see; ask for a field")


def _subject_page(given: Permit, digest: bytes, after: Place, limit: int) -> list[Stored]:
    """Return up to `limit` of a subject's tokens behind `after`, of those that the caller may see."""
    rows: list[Stored] = []
    resources, actor = given.resources, given.actor
    with resources.database.read() as connection:
        dialect = resources.database.dialect
        places = sorted(p for p in of_subject(connection, dialect, actor.tenant, digest) if p > after)
        for at in range(0, len(places), limit):
            found = fetch(connection, dialect, actor.tenant, places[at : at + limit], Stored)
            rows += sorted(_visible(given, list(found.values())), key=lambda row: (row.bucket, row.token))
            if len(rows) >= limit:
                break
    return rows[:limit]


def _search(
    resources: Resources, actor: Actor, field: str, scope: str, texts: Sequence[str]
) -> tuple[TenantKeys, list[list[Place]]]:
    """Return where the tokens of each value lie, and keys that were the tenant's when the search had ended.

    It goes from the oldest index version to the newest, as entries do. One that moved meanwhile to a version that these
    keys lack would be missed, and "there is none" a lie: so versions that came up are searched, too.
    """
    places: list[list[Place]] = [[] for _ in texts]
    searched = set[int]()
    keys = resources.keyring.keys(actor.tenant)
    for _ in range(ATTEMPTS):
        _under(resources, [key for key in keys.by_age(Purpose.INDEX) if key.id not in searched], actor, field,
               scope, texts, places)  # fmt: skip
        searched |= {key.id for key in keys.by_age(Purpose.INDEX)}
        if not resources.keyring.changed(keys):
            return keys, places
        keys = resources.keyring.reload(actor.tenant)
    raise StaleKeyset("the keysets kept changing while values were looked up")


def _under(
    resources: Resources, versions: Sequence[OpenKey], actor: Actor, field: str, scope: str,
    texts: Sequence[str], places: Sequence[list[Place]],
) -> None:  # fmt: skip
    """Add to `places` what these index versions find."""
    with resources.database.read() as connection:
        for key in versions:
            digests = index.digests(key, actor.tenant, field, scope, texts)
            for at, digest in enumerate(digests):
                places[at] += find(connection, resources.database.dialect, actor.tenant, key.id, digest)


def _matches(given: Permit, places: Sequence[Sequence[Place]]) -> list[list[Stored]]:
    """Return for each value its tokens that the caller may see, expired ones left out: one deterministic, and fresh."""
    wanted = [place for found in places for place in found]
    rows = look_up(given.resources, given.actor, wanted, Stored)
    for token in given.judge(list(rows.values())):
        del rows[token]
    now = given.resources.database.now()
    return [
        sorted(
            {
                rows[token]
                for _, token in found
                if token in rows and (rows[token].expires_at or now + 1) > now
            },
            key=lambda row: (row.created_at, row.token),
        )
        for found in places
    ]


def _cursor(row: Stored) -> str:
    """Return where the next page begins: holds the token, so `row` must be one that the caller may see."""
    return base64.urlsafe_b64encode(row.bucket.to_bytes(2, "big") + row.token).decode().rstrip("=")


def _place(cursor: str | None) -> Place:
    if cursor is None:
        return -1, b""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 3 <= len(raw) <= 200 or int.from_bytes(raw[:2], "big") >= index.BUCKETS:
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    return int.from_bytes(raw[:2], "big"), raw[2:]
