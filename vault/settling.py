"""A prepared column stored inside a transaction: clashes settled, entries claimed, each value given its token."""

from __future__ import annotations

from vault import tokens
from vault.batch import Batch, Place
from vault.columns import Actor, Tokenized
from vault.drafts import Drafts
from vault.errors import SubjectConflict, VaultError
from vault.store import tokens as rows
from vault.store.writer import Overtaken, Transaction


def settle(
    actor: Actor, batch: Batch, transaction: Transaction
) -> tuple[Tokenized, list[bytes], list[bytes | None]]:
    """Store the drafts; return the column's tokens, the stored forms of all of them, and whose they are.

    Raises Overtaken if somebody stored one of its shaped tokens meanwhile.
    """
    drafts = batch.drafts
    rows.remove(transaction, actor.tenant, batch.lapsed)
    good = [place for place in range(len(drafts.values)) if place not in drafts.failed]
    if drafts.spec.kind == "shaped":
        _unique(actor.tenant, drafts, good, transaction)
    known = dict(batch.known)
    if drafts.fixed:
        good = _claim(actor.tenant, drafts, good, known, transaction)
    elif drafts.digests:
        transaction.append("index_entry", [drafts.entry(place, actor.tenant) for place in good])
    transaction.append("token", [drafts.rows[place] for place in good])
    placed = {place: (drafts.buckets[place], drafts.tokens[place]) for place in good}
    return _result(actor, batch, placed, known, dict(batch.errors))


def only_appends(batch: Batch) -> bool:
    """Whether storing the batch can clash with nothing, so that it needs no look at what is there."""
    return not batch.drafts.fixed and batch.drafts.spec.kind == "opaque"


def _unique(tenant: int, drafts: Drafts, good: list[int], transaction: Transaction) -> None:
    """Let one request at a time store shaped tokens of this field, and see that none of these is taken by now."""
    transaction.dialect.serialize(transaction.connection, f"shaped {tenant} {drafts.field_type.name}")
    transaction.flush()
    places = [(drafts.buckets[at], drafts.tokens[at]) for at in good]
    if rows.taken(transaction.connection, transaction.dialect, tenant, places):
        raise Overtaken


def _claim(
    tenant: int,
    drafts: Drafts,
    good: list[int],
    known: dict[bytes, tuple[Place, bytes | None]],
    transaction: Transaction,
) -> list[int]:
    """Claim the index entries; return the drafts that won theirs, and note in `known` the tokens of those that lost."""
    theirs = _under_older(tenant, drafts, good, transaction)
    free = [place for place in good if drafts.digests[place] not in theirs]
    won = rows.claim(transaction, [drafts.entry(place, tenant) for place in free]) if free else set()
    lost = [place for place in free if drafts.digests[place] not in won]
    connection, dialect = transaction.connection, transaction.dialect
    if lost:
        entries = [(drafts.index_buckets[at], drafts.index_key or 0, drafts.digests[at]) for at in lost]
        theirs |= rows.deterministic(connection, dialect, tenant, drafts.spec.kind, entries)
    if len(won) < len(good):
        stored = rows.fetch(connection, dialect, tenant, list(theirs.values()), rows.Owned)
        if len(stored) < len(good) - len(won):  # deleted between the claim and these reads
            raise Overtaken
        for digest, place in theirs.items():
            known[digest] = place, stored[place[1]].subject
    return [place for place in free if drafts.digests[place] in won]


def _under_older(
    tenant: int, drafts: Drafts, good: list[int], transaction: Transaction
) -> dict[bytes, Place]:
    """Return the tokens whose entries an older index version still finds, by their digest under the primary.

    To be asked before a claim under the primary: entries move from the older versions to it, and never back.
    """
    found: dict[bytes, Place] = {}
    for key_id, digests in drafts.older:
        entries = [(drafts.index_buckets[at], key_id, digests[at]) for at in good]
        theirs = rows.deterministic(
            transaction.connection, transaction.dialect, tenant, drafts.spec.kind, entries
        )
        found |= {drafts.digests[at]: theirs[digests[at]] for at in good if digests[at] in theirs}
    return found


def _result(
    actor: Actor,
    batch: Batch,
    placed: dict[int, Place],
    known: dict[bytes, tuple[Place, bytes | None]],
    errors: dict[int, VaultError],
) -> tuple[Tokenized, list[bytes], list[bytes | None]]:
    """Give each accepted value its token, or the reason why it has none."""
    positions: list[int] = []
    places: list[Place] = []
    owners: list[bytes | None] = []
    for number, (at, place) in enumerate(zip(batch.at, batch.draft_of, strict=True)):
        found = placed.get(place)
        owner = batch.drafts.subjects[place] if found and batch.drafts.subjects else None
        if found is None and batch.drafts.fixed and batch.digests[number] in known:
            found, owner = known[batch.digests[number]]
        if found is None:
            errors[at] = batch.drafts.failed[place]
        elif batch.subjects and batch.subjects[number] is not None and batch.subjects[number] != owner:
            errors[at] = SubjectConflict("this value's deterministic token belongs to another subject")
        else:
            positions.append(at)
            places.append(found)
            owners.append(owner)
    stored = [token for _, token in places]
    texts = tokens.texts(actor.mode, [bucket for bucket, _ in places], stored)
    result: list[str | None] = [None] * batch.size
    for at, text in zip(positions, texts, strict=True):
        result[at] = text
    return Tokenized(result, errors), stored, owners
