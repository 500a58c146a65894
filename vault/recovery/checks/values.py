"""Whether sealed values open, and are what their field takes; what was stored beside them, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keys.errors import KeyProblem
from keys.openkeys import TenantKeys
from vault import fields
from vault.columns import Actor
from vault.errors import UnknownField, VaultError
from vault.recovery.checks.scratch import Found, Scratch, actor
from vault.resources import Resources, open_values
from vault.store.tokens import Stored

_LAX = {"luhn": False}  # options under which a field also takes what it takes for a caller who insists
NO_VALUE, NOT_CANONICAL = "unreadable_value", "value_not_canonical"


def check(scratch: Scratch) -> Found:
    """Open every value and all metadata, or the sample of them, in columns."""
    checked = bad = 0
    code = ""
    for tenant in scratch.tenants:
        keys, asks = scratch.resources.keyring.keys(tenant.id), actor(tenant)
        for rows in scratch.pages(tenant.id):
            drawn = [row for at, row in enumerate(rows) if at == 0 or scratch.drawn()]
            checked += len(drawn)
            found = _examine(scratch.resources, keys, asks, drawn)
            bad, code = bad + found.bad, code or found.code
    return Found(checked, bad, code)


def opened(
    resources: Resources, keys: TenantKeys, asks: Actor, slot: str, rows: Sequence[Stored]
) -> Iterator[tuple[Stored, bytes | None]]:
    """Yield rows with what they hold in a slot, None where that does not open; rows that hold nothing are left out."""
    held = [row for row in rows if _blob(slot, row)]
    blobs = [_blob(slot, row) for row in held]
    try:
        yield from zip(held, open_values(resources, keys, asks, slot, held, blobs).values, strict=True)
    except (VaultError, KeyProblem):
        if len(held) == 1:
            yield held[0], None
            return
        for part in (held[: len(held) // 2], held[len(held) // 2 :]):
            yield from opened(resources, keys, asks, slot, part)


def _blob(slot: str, row: Stored) -> bytes:
    return (row.sealed if slot == "value" else row.metadata) or b""


def _examine(resources: Resources, keys: TenantKeys, asks: Actor, rows: Sequence[Stored]) -> Found:
    values = list(opened(resources, keys, asks, "value", rows))
    closed = sum(value is None for _, value in values)
    closed += sum(note is None for _, note in opened(resources, keys, asks, "metadata", rows))
    by_field: dict[str, list[bytes]] = {}
    for row, value in values:
        if value is not None:
            by_field.setdefault(row.field, []).append(value)
    odd = sum(_odd(field, column) for field, column in by_field.items())
    return Found(len(rows), closed + odd, NO_VALUE if closed else NOT_CANONICAL if odd else "")


def _odd(field: str, column: Sequence[bytes]) -> int:
    """Return how many values of a field are not in canonical form."""
    try:
        kind = fields.get(field)
    except UnknownField:
        return len(column)
    texts = [value.decode("utf-8", "replace") for value in column]
    normal, refused = fields.normalize_column(kind, texts, {})
    if refused and _LAX.keys() <= kind.options:
        again = [texts[at] for at in refused]
        for at, text in zip(refused, fields.normalize_column(kind, again, _LAX)[0], strict=True):
            normal[at] = text
    return sum(text != was for text, was in zip(normal, texts, strict=True))
