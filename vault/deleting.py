"""Tokens deleted, and persons erased: rows, entries and the person key go in one commit, with the audit record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from keys.keyset import Purpose
from keys.openkeys import TenantKeys
from vault import fields, index, sweeping
from vault.columns import MAX_ITEMS, Actor, Deleted, Erasure, Remember
from vault.errors import FieldNotGranted, InvalidRequest, UnknownSubject, UnknownToken, VaultError
from vault.fields import login_record
from vault.once import Once
from vault.permitting import Facts, Permit, permit
from vault.reading import former, misses
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
    given = permit(resources, actor, "delete")
    keys = resources.keyring.keys(actor.tenant)
    places, malformed = parse_column(keys, actor, texts, field)
    wrong = strays(resources, actor, places)
    once = Once(keys, actor.tenant, remember)
    barred = _barred(given, places)

    def work(transaction: Transaction) -> Deleted:
        once.check(transaction)
        errors: dict[int, VaultError] = dict(malformed)
        wanted = list({place for place in places if place is not None and place[1] not in barred})
        gone = rows.remove(transaction, actor.tenant, wanted)
        for at, place in enumerate(places):
            if place is not None and place[1] in barred:
                errors[at] = barred[place[1]]
            elif place is not None and (place[1] not in gone or place in wrong):
                errors[at] = UnknownToken("no such token")
        before = former(
            places, errors, partial(rows.buried, transaction.connection, transaction.dialect, actor.tenant)
        )
        sweeping.miss(transaction, keys, given.actor, given.policy.sweep, misses(errors) - before)
        row = given.row(keys, transaction.now, _facts(gone), refused=len(errors))
        transaction.append("audit_record", [row])
        result = Deleted(len(gone), errors)
        once.keep(transaction, result)
        return result

    return resources.database.write(work, deadline=actor.deadline)


def erase(resources: Resources, actor: Actor, subject: str) -> Erasure:
    """Destroy a subject's key and all its tokens; see `Vault.erase`."""
    given = permit(resources, actor, "erase")
    keys = resources.keyring.keys(actor.tenant)
    digest = index.subject_digests(keys.primary(Purpose.ROUTE), actor.tenant, [subject])[0]

    def work(transaction: Transaction) -> Erasure:
        key = subjects.lock(transaction, actor.tenant, digest)
        if key is None:
            raise _refused(
                given, keys, transaction, digest, UnknownSubject("nothing is held of this subject")
            )
        connection, dialect = transaction.connection, transaction.dialect
        places = rows.of_subject(connection, dialect, actor.tenant, digest)
        held = rows.fetch(connection, dialect, actor.tenant, places, given.kind)
        for error in given.judge(list(held.values())).values():  # one is enough: a person is erased whole
            raise _refused(given, keys, transaction, digest, error)
        gone = rows.remove(transaction, actor.tenant, places)
        passwords.remove(transaction, actor.tenant, [passwords.of_subject(digest)])
        entry = subjects.erase(transaction, actor.tenant, digest, key, len(gone))
        facts = _facts(gone) if gone else Facts(persons=[digest])
        transaction.append("audit_record", [given.row(keys, transaction.now, facts)])
        return Erasure(entry.hex(), len(gone))

    return resources.database.write(work, deadline=actor.deadline)


def _refused(
    given: Permit, keys: TenantKeys, transaction: Transaction, digest: bytes, error: VaultError
) -> Refused:
    """Return what ends an erasure that changed nothing; that it was refused goes on record."""
    row = given.row(keys, transaction.now, result=error.code, persons=[digest])
    transaction.append("audit_record", [row])
    return Refused(error)


def _barred(given: Permit, places: Sequence[rows.Place | None]) -> dict[bytes, VaultError]:
    """Return why some of the tokens may not be deleted.

    Log-ins on record are not deleted by anybody: they go when their time is over, or with their person.
    """
    found = list(look_up(given.resources, given.actor, places, given.kind).values())
    kept = FieldNotGranted("a log-in on record goes when its time is over, or with its person")
    return given.judge(found) | {row.token: kept for row in found if row.field == login_record.name}


def _facts(gone: Mapping[bytes, rows.Gone]) -> Facts:
    """Return what an audit record says of deleted tokens."""
    told = list(gone.values())
    return Facts(
        tokens=list(gone),
        persons=[one.subject for one in told],
        fields=[one.field for one in told],
        count=len(gone),
    )
