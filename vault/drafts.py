"""New tokens of one column before they are stored, in parallel lists, and how they are sealed into rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import cipher
from vault.columns import Spec
from vault.errors import VaultError
from vault.fields.protocol import FieldType
from vault.marking import turned
from vault.people import People
from vault.resources import Resources
from vault.store.dialect import COLUMNS
from vault.store.tokens import KINDS, entry_tie

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
    older: list[tuple[int, list[bytes]]] = field(
        default_factory=list
    )  # digests under index versions before the primary
    tokens: list[bytes] = field(default_factory=list)
    buckets: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    failed: dict[int, VaultError] = field(default_factory=dict)  # drafts that no token could be drawn for
    decoy: bool = False  # every value is sealed with the mark of one

    def plain(self) -> list[bytes]:
        """Return what is sealed of each value."""
        plain = [value.encode() for value in self.values]
        return [turned(value) for value in plain] if self.decoy else plain

    def entry(self, at: int, tenant: int) -> Row:
        """Return the row of `index_entry`, without its epoch."""
        tie = entry_tie(KINDS[self.spec.kind], self.fixed, self.tokens[at])
        where = (self.index_buckets[at], tenant, self.index_key, self.digests[at], tie)
        return (*where, self.buckets[at], self.tokens[at])


def seal(resources: Resources, drafts: Drafts, keys: TenantKeys, tenant: int, people: People) -> None:
    """Make the drafts' rows, sealed under their person's key or the seal keyset's primary."""
    nothing = [None] * len(drafts.values)
    subjects = drafts.subjects or nothing
    values = nothing if drafts.spec.kind == "one_way" else drafts.plain()
    sealer = _Sealer(resources, keys, tenant, drafts.field_type.name, people)
    sealed = sealer.slot("value", drafts.tokens, subjects, values)
    noted = sealer.slot("metadata", drafts.tokens, subjects, drafts.metadata or nothing)
    key_ids = sealer.key_ids(subjects, sealed, noted)
    drafts.rows = _rows(drafts, tenant, resources.database.now(), sealed, noted, key_ids)


def reseal(drafts: Drafts, tenant: int, people: People, subjects: Collection[bytes]) -> None:
    """Seal the drafts of these subjects once more, under the keys they have by now."""
    slots = ("value", drafts.plain()), ("metadata", drafts.metadata)
    for at, subject in enumerate(drafts.subjects):
        if subject is None or subject not in subjects:
            continue
        key_id, key = people.keys[subject]
        row = list(drafts.rows[at])
        for slot, plaintexts in slots:
            place = COLUMNS["token"].index("sealed" if slot == "value" else slot)
            if row[place] is not None:
                plain = plaintexts[at] or b""
                row[place] = cipher.seal_for_person(
                    key, key_id, tenant, drafts.field_type.name, slot, drafts.tokens[at], plain
                )
                row[COLUMNS["token"].index("seal_key")] = key_id
        drafts.rows[at] = tuple(row)


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
    sealed: Sequence[bytes | None],
    noted: Sequence[bytes | None],
    key_ids: Sequence[int | None],
) -> list[Row]:
    spec, nothing = drafts.spec, [None] * len(sealed)
    what = (drafts.field_type.name, KINDS[spec.kind], drafts.fixed, drafts.scope)
    until = None if spec.ttl is None else now + spec.ttl * 1_000_000
    origin = (spec.source, now, until, " ".join(sorted(set(spec.tags))) or None)
    columns = (
        drafts.buckets, drafts.tokens, drafts.subjects or nothing, sealed, noted, key_ids,
        drafts.index_buckets if drafts.digests else nothing, drafts.digests or nothing,
    )  # fmt: skip
    index_key = drafts.index_key
    return [
        (bucket, tenant, token, *what, subject, blob, note, key_id, place, index_key, digest, *origin)
        for bucket, token, subject, blob, note, key_id, place, digest in zip(*columns, strict=True)
    ]
