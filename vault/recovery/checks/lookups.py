"""Whether values lead back to their tokens, through the index that the restore has made anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vault import fields
from vault.errors import UnknownField
from vault.finding import find_column
from vault.index import BUCKETS
from vault.recovery.checks.scratch import Found, Scratch, actor
from vault.recovery.checks.values import opened
from vault.resources import public
from vault.store.examining import Tenant
from vault.store.tokens import Stored, page

PLACES = 20
MOST = 100  # values of a tenant that are looked up: a fresh token's is searched in every bucket


def check(scratch: Scratch) -> Found:
    """Look a sample of values up, deterministic ones and fresh ones."""
    checked = bad = 0
    for tenant in scratch.tenants:
        for found in _of(scratch, tenant):
            checked, bad = checked + found.checked, bad + found.bad
    return Found(checked, bad, "not_found_by_value" if bad else "")


def _of(scratch: Scratch, tenant: Tenant) -> Iterator[Found]:
    resources, asks, now = scratch.resources, actor(tenant), scratch.resources.database.now()
    drawn = [row for row in drawn_rows(scratch, tenant, MOST) if _is_indexed(row, now)]
    groups: dict[tuple[str, str], list[tuple[Stored, str]]] = defaultdict(list)
    keys = resources.keyring.keys(tenant.id)
    for row, value in opened(resources, keys, asks, "value", drawn):
        if value is not None:  # one that does not open is told by another check
            groups[row.field, row.scope].append((row, value.decode("utf-8", "replace")))
    for (field, scope), pairs in groups.items():
        options = {"luhn": False} if "luhn" in fields.get(field).options else {}
        found = find_column(resources, asks, field, [value for _, value in pairs], scope, options)
        texts = public(asks, [row for row, _ in pairs])
        missed = sum(text not in (match or ()) for text, match in zip(texts, found.matches, strict=True))
        yield Found(len(pairs), missed)


def drawn_rows(scratch: Scratch, tenant: Tenant, most: int) -> list[Stored]:
    """Return all of a tenant's tokens, or, where they are more, so many that lie behind places that are drawn."""
    with scratch.resources.database.read() as connection:
        rows = page(connection, tenant.id, (-1, b""), most + 1, None)
        if len(rows) <= most:
            return rows
        found: dict[bytes, Stored] = {}
        for _ in range(PLACES):
            after = scratch.random.randrange(-1, BUCKETS), scratch.random.randbytes(17)
            found |= {
                row.token: row for row in page(connection, tenant.id, after, max(1, most // PLACES), None)
            }
    return [*found.values()][:most] or rows[:most]


def _is_indexed(row: Stored, now: int) -> bool:
    """Whether it is found by value: its field is, it keeps one, and its time is not over."""
    try:
        lookup = fields.get(row.field).lookup
    except UnknownField:
        return False
    return lookup and row.sealed is not None and (row.expires_at is None or row.expires_at > now)
