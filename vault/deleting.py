"""Tokens deleted, and persons erased: rows, entries and the person key go in one commit, with the audit record."""

from __future__ import annotations

from collections.abc import Sequence

from keys.keyset import Purpose
from vault import fields, index
from vault.audit import journal
from vault.columns import MAX_ITEMS, Actor, Deleted, Erasure, Remember
from vault.errors import FieldNotGranted, InvalidRequest, UnknownSubject, UnknownToken, VaultError
from vault.once import Once
from vault.resources import Resources, look_up, parse_column, strays
from vault.store import passwords, subjects
from vault.store import tokens as rows
from vault.store.writer import Refused, Transaction


def delete(
    resources: Resources, actor: Actor, texts: Sequence[object], field: str | None, remember: Remember | None
) -> Deleted:
    """Delete tokens for good; see `Vault.delete`."""
    if len(texts) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS} tokens go into one request", "/tokens")
    if field is not None:
        fields.get(field)
    keys = resources.keyring.keys(actor.tenant)
    places, malformed = parse_column(keys, actor, texts, field)
    wrong = strays(resources, actor, places)
    once = Once(keys, actor.tenant, remember)
    barred = _barred(resources, actor, places)

    def work(transaction: Transaction) -> Deleted:
        once.check(transaction)
        errors: dict[int, VaultError] = dict(malformed)
        wanted = list({place for place in places if place is not None and place[1] not in barred})
        gone = rows.remove(transaction, actor.tenant, wanted)
        for at, place in enumerate(places):
            if place is not None and place[1] in barred:
                errors[at] = FieldNotGranted("the key does not reach this token's field")
            elif place is not None and (place[1] not in gone or place in wrong):
                errors[at] = UnknownToken("no such token")
        row = journal.row(
            keys, actor, transaction.now, "delete", field=field or "", count=len(gone), refused=len(errors),
            tokens=sorted(gone),
        )  # fmt: skip
        transaction.append("audit_record", [row])
        result = Deleted(len(gone), errors)
        once.keep(transaction, result)
        return result

    return resources.database.write(work, deadline=actor.deadline)


def erase(resources: Resources, actor: Actor, subject: str) -> Erasure:
    """Destroy a subject's key and all its tokens; see `Vault.erase`."""
    keys = resources.keyring.keys(actor.tenant)
    digest = index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, [subject])[0]

    def work(transaction: Transaction) -> Erasure:
        key = subjects.lock(transaction, actor.tenant, digest)
        if key is None:
            raise Refused(UnknownSubject("nothing is held of this subject"))
        places = rows.of_subject(transaction.connection, transaction.dialect, actor.tenant, digest)
        gone = rows.remove(transaction, actor.tenant, places)
        passwords.remove(transaction, actor.tenant, [passwords.of_subject(digest)])
        entry = subjects.erase(transaction, actor.tenant, digest, key, len(gone))
        row = journal.row(keys, actor, transaction.now, "erase", count=len(gone), tokens=sorted(gone))
        transaction.append("audit_record", [row])
        return Erasure(entry.hex(), len(gone))

    return resources.database.write(work, deadline=actor.deadline)


def _barred(resources: Resources, actor: Actor, places: Sequence[rows.Place | None]) -> set[bytes]:
    """Return the tokens whose field the caller's key does not reach."""
    if actor.fields is None:
        return set()
    found = look_up(resources, actor, places, rows.Sealed)
    return {token for token, row in found.items() if row.field not in actor.fields}
