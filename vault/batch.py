"""One column on its way to tokens: what was accepted, what exists already, what must be made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from keys.keyset import Purpose, State
from keys.openkeys import TenantKeys
from vault import fields, index
from vault.columns import MAX_METADATA_BYTES, MAX_TAGS, Actor, Column, Spec
from vault.drafts import Drafts
from vault.drawing import draw
from vault.errors import InvalidRequest, NotSearchable, VaultError
from vault.fields import login_record
from vault.fields.protocol import FieldType
from vault.resources import Resources
from vault.store import tokens as rows

Place = rows.Place

_TAG = re.compile(r"[a-z0-9_.:-]{1,32}")


@dataclass(slots=True, repr=False)
class Batch:
    """One column of a request, prepared outside the transaction and settled in it.

    Attributes:
        at: the positions in the column of the accepted values.
        draft_of: for each accepted value its draft, or -1 if its deterministic token exists.
        digests: for each accepted value its index digest; empty where the field is not indexed.
        known: existing deterministic tokens by digest, with their subject's digest.
        lapsed: deterministic tokens whose time is over, to be replaced.
    """

    size: int
    errors: dict[int, VaultError]
    drafts: Drafts
    at: list[int]
    draft_of: list[int]
    digests: list[bytes]
    subjects: list[bytes | None]
    known: dict[bytes, tuple[Place, bytes | None]] = field(default_factory=dict)
    lapsed: list[Place] = field(default_factory=list)


def prepare(
    resources: Resources, keys: TenantKeys, actor: Actor, column: Column, bucket: int, drawn: set[bytes]
) -> Batch:
    """Normalize and index a column, look up its deterministic tokens, and draw tokens for the rest.

    Args:
        bucket: the request's, for its fresh opaque tokens.
        drawn: the request's shaped tokens so far, which grow.
    """
    kind, spec = _checked(column)
    scope = spec.scope or kind.name
    fixed = spec.deterministic or spec.kind == "one_way"
    normal, refused = fields.normalize_column(kind.name, column.values, dict(spec.options))
    at = [place for place, value in enumerate(normal) if value is not None]
    values = [value for value in normal if value is not None]
    subjects = _subject_digests(keys, actor, column, at)
    digests: list[bytes] = []
    if kind.lookup:
        digests = index.digests(keys.primary(Purpose.INDEX), actor.tenant, kind.name, scope, values)
    notes = [] if column.metadata is None else [column.metadata[place] for place in at]
    drafts = Drafts(kind, spec, scope, fixed, values, subjects, notes, digests, [], decoy=column.decoy)
    if kind.lookup:
        drafts.index_key = keys.primary(Purpose.INDEX).id
    batch = Batch(len(normal), dict(refused), drafts, at, list(range(len(at))), digests, subjects)
    if fixed:
        _reuse(resources, keys, actor, batch)
    draw(resources, drafts, keys, actor.tenant, bucket, drawn)
    return batch


def _checked(column: Column) -> tuple[FieldType, Spec]:
    kind, spec = fields.get(column.field), column.spec
    if not kind.lookup and (spec.deterministic or spec.kind == "one_way"):
        raise NotSearchable(
            f"{kind.name}: values of this type are not indexed, so none repeats its token", "/field"
        )
    if kind.name == login_record.name and any(one is not None for one in column.subjects or ()):
        raise InvalidRequest("a person's log-ins are put on record by the service alone", "/subjects")
    if len(spec.tags) > MAX_TAGS or not all(map(_TAG.fullmatch, spec.tags)):
        raise InvalidRequest(f"at most {MAX_TAGS} tags, each 1 to 32 of a-z, 0-9 and _.:-", "/tags")
    for name, items in (("subjects", column.subjects), ("metadata", column.metadata)):
        if items is not None and len(items) != len(column.values):
            raise InvalidRequest(f"{name} must be as long as values", f"/{name}")
    if any(len(note) > MAX_METADATA_BYTES for note in column.metadata or () if note is not None):
        raise InvalidRequest(f"metadata is at most {MAX_METADATA_BYTES} bytes of JSON an item", "/metadata")
    return kind, spec


def _subject_digests(keys: TenantKeys, actor: Actor, column: Column, at: Sequence[int]) -> list[bytes | None]:
    if column.subjects is None:
        return []
    named = [column.subjects[place] for place in at]
    distinct = list(dict.fromkeys(name for name in named if name is not None))
    digests = index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, distinct)
    by_name: dict[str | None, bytes | None] = {None: None, **dict(zip(distinct, digests, strict=True))}
    return [by_name[name] for name in named]


def _reuse(resources: Resources, keys: TenantKeys, actor: Actor, batch: Batch) -> None:
    """Find the deterministic tokens that exist; keep one draft for each distinct value that has none."""
    drafts = batch.drafts
    first = {digest: place for place, digest in reversed(list(enumerate(batch.digests)))}
    distinct = sorted(first.values())
    values = [drafts.values[place] for place in distinct]
    route = keys.primary(Purpose.ROUTE)
    buckets = index.value_buckets(route, actor.tenant, drafts.field_type.name, drafts.scope, values)
    _recall(resources, keys, actor, batch, [batch.digests[place] for place in distinct], values, buckets)
    bucket_of = dict(zip(distinct, buckets, strict=True))
    kept = [place for place in distinct if batch.digests[place] not in batch.known]
    number = {batch.digests[place]: at for at, place in enumerate(kept)}
    batch.draft_of = [number.get(digest, -1) for digest in batch.digests]
    drafts.values = [drafts.values[place] for place in kept]
    drafts.digests = [batch.digests[place] for place in kept]
    drafts.index_buckets = [bucket_of[place] for place in kept]
    drafts.subjects = [batch.subjects[place] for place in kept] if batch.subjects else []
    drafts.metadata = [drafts.metadata[place] for place in kept] if drafts.metadata else []
    drafts.older = [
        (key.id, index.digests(key, actor.tenant, drafts.field_type.name, drafts.scope, drafts.values))
        for key in keys.openers(Purpose.INDEX)
        if key.id != drafts.index_key and key.state is not State.PRE_ACTIVE
    ]


def _recall(
    resources: Resources,
    keys: TenantKeys,
    actor: Actor,
    batch: Batch,
    digests: Sequence[bytes],
    values: Sequence[str],
    buckets: Sequence[int],
) -> None:
    """Note which of the distinct values have their token already, under any index version that opens."""
    drafts, dialect = batch.drafts, resources.database.dialect
    found: dict[bytes, Place] = {}
    with resources.database.read() as connection:
        for key in keys.openers(Purpose.INDEX):
            theirs = digests
            if key.id != drafts.index_key:
                theirs = index.digests(key, actor.tenant, drafts.field_type.name, drafts.scope, values)
            entries = [(bucket, key.id, digest) for bucket, digest in zip(buckets, theirs, strict=True)]
            places = rows.deterministic(connection, dialect, actor.tenant, drafts.spec.kind, entries)
            ours = dict(zip(theirs, digests, strict=True))
            found |= {ours[digest]: place for digest, place in places.items()}
        stored = rows.fetch(connection, dialect, actor.tenant, list(found.values()), rows.Owned)
    now = resources.database.now()
    for digest, place in found.items():
        row = stored.get(place[1])
        if row is not None and row.expires_at is not None and row.expires_at <= now:
            batch.lapsed.append(place)
        elif row is not None:
            batch.known[digest] = place, row.subject
