"""New tokens of one column before they are stored: drawn, indexed and sealed, in parallel lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from keys.keyring import TenantKeys
from keys.keyset import Purpose
from vault import cipher, index, shapes, tokens
from vault.columns import Spec
from vault.fields.protocol import FieldType
from vault.people import People
from vault.resources import Resources
from vault.store.tokens import KINDS

Row = tuple[object, ...]


@dataclass(slots=True, repr=False)
class Drafts:
    """What becomes rows of `token`; every list is as long as `values`, or empty where the column has no such thing."""

    field_type: FieldType
    spec: Spec
    scope: str
    fixed: bool  # deterministic
    values: list[str]
    subjects: list[bytes | None]
    metadata: list[bytes | None]
    digests: list[bytes]
    index_buckets: list[int]
    index_key: int | None = None
    tokens: list[bytes] = field(default_factory=list)
    buckets: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def entry(self, at: int, tenant: int) -> Row:
        """Return the row of `index_entry`, without its epoch."""
        tie = b"" if self.fixed else self.tokens[at]
        where = (self.index_buckets[at], tenant, self.index_key, self.digests[at], tie)
        return (*where, self.buckets[at], self.tokens[at])


def draw(drafts: Drafts, keys: TenantKeys, tenant: int, bucket: int) -> None:
    """Give each draft a token: fresh ones lie in the request's bucket, others where their value's index entry does.

    Raises what `shapes.template` raises.
    """
    count = len(drafts.values)
    if drafts.spec.kind == "shaped":
        drafts.tokens, drafts.buckets = [b""] * count, [0] * count
        redraw(drafts, keys, tenant, range(count))
    else:
        drafts.tokens = tokens.draw(count)
        drafts.buckets = list(drafts.index_buckets) if drafts.fixed else [bucket] * count
    if drafts.digests and not drafts.fixed:
        drafts.index_buckets = list(drafts.buckets)


def redraw(drafts: Drafts, keys: TenantKeys, tenant: int, places: Sequence[int]) -> None:
    """Give the drafts at `places` another shaped token each."""
    kind, spec = drafts.field_type, drafts.spec
    found = []
    for at in places:
        template = shapes.template(kind, drafts.values[at], spec)
        text = next((text for text in shapes.draw(kind, template, spec, 4) if text != drafts.values[at]), "")
        found.append(tokens.shaped(kind.name, text))
    buckets = index.token_buckets(keys.primary(Purpose.ROUTE), tenant, found)
    for at, token, bucket in zip(places, found, buckets, strict=True):
        drafts.tokens[at], drafts.buckets[at] = token, bucket


def seal(
    resources: Resources, drafts: Drafts, keys: TenantKeys, tenant: int, people: People, places: Sequence[int]
) -> None:
    """Make the rows of the drafts at `places`, sealed under their person's key or the seal keyset's primary."""
    count, now = len(drafts.values), resources.database.now()
    whole = len(places) == count
    take = (lambda column: column) if whole else (lambda column: [column[at] for at in places])
    stored, nothing = take(drafts.tokens), [None] * len(places)
    subjects = take(drafts.subjects) if drafts.subjects else nothing
    one_way = drafts.spec.kind == "one_way"
    values = nothing if one_way else [value.encode() for value in take(drafts.values)]
    notes = take(drafts.metadata) if drafts.metadata else nothing
    sealer = _Sealer(resources, keys, tenant, drafts.field_type.name, people)
    sealed = sealer.slot("value", stored, subjects, values)
    noted = sealer.slot("metadata", stored, subjects, notes)
    rows = _rows(drafts, tenant, now, take, sealed, noted, sealer.key_ids(subjects, sealed, noted))
    if whole:
        drafts.rows = rows
    else:
        drafts.rows = drafts.rows or [()] * count
        for at, row in zip(places, rows, strict=True):
            drafts.rows[at] = row


class _Sealer:
    """Seals slots of a column, each item under its person's key, or the primary where it has no person."""

    def __init__(
        self, resources: Resources, keys: TenantKeys, tenant: int, field: str, people: People
    ) -> None:
        self._keyring, self._primary = resources.keyring, keys.primary(Purpose.SEAL)
        self._tenant, self._field, self._people = tenant, field, people.keys

    def slot(
        self,
        slot: str,
        stored: Sequence[bytes],
        subjects: Sequence[bytes | None],
        plaintexts: Sequence[bytes | None],
    ) -> list[bytes | None]:
        """Return the sealed plaintexts, None where there is none."""
        sealed: list[bytes | None] = [None] * len(stored)
        shared = [at for at, text in enumerate(plaintexts) if text is not None and subjects[at] is None]
        if shared:
            self._keyring.spend(self._tenant, self._primary, len(shared))
            texts = [plaintexts[at] or b"" for at in shared]
            column = cipher.seal(
                self._primary, self._tenant, self._field, slot, [stored[at] for at in shared], texts
            )
            for at, blob in zip(shared, column, strict=True):
                sealed[at] = blob
        for at, (subject, text) in enumerate(zip(subjects, plaintexts, strict=True)):
            if subject is not None and text is not None:
                key_id, key = self._people[subject]
                sealed[at] = cipher.seal_for_person(
                    key, key_id, self._tenant, self._field, slot, stored[at], text
                )
        return sealed

    def key_ids(self, subjects: Sequence[bytes | None], *slots: Sequence[bytes | None]) -> list[int | None]:
        """Return the key that each row's sealed slots name, None where nothing is sealed."""
        return [
            None if not any(sealed) else self._primary.id if subject is None else self._people[subject][0]
            for subject, *sealed in zip(subjects, *slots, strict=True)
        ]


def _rows(
    drafts: Drafts,
    tenant: int,
    now: int,
    take: Callable[[list[Any]], list[Any]],
    sealed: Sequence[bytes | None],
    noted: Sequence[bytes | None],
    key_ids: Sequence[int | None],
) -> list[Row]:
    spec, nothing = drafts.spec, [None] * len(sealed)
    what = (drafts.field_type.name, KINDS[spec.kind], drafts.fixed, drafts.scope)
    origin = (spec.source, now, None if spec.ttl is None else now + spec.ttl * 1_000_000)
    columns = (
        take(drafts.buckets), take(drafts.tokens), take(drafts.subjects) if drafts.subjects else nothing,
        sealed, noted, key_ids,
        take(drafts.index_buckets) if drafts.digests else nothing, take(drafts.digests) if drafts.digests else nothing,
    )  # fmt: skip
    index_key = drafts.index_key
    return [
        (bucket, tenant, token, *what, subject, blob, note, key_id, place, index_key, digest, *origin)
        for bucket, token, subject, blob, note, key_id, place, digest in zip(*columns, strict=True)
    ]
