"""Values into tokens: normalize the column, index it, seal it, store it with its audit record, all in one commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from keys.errors import UnknownKey
from keys.openkeys import TenantKeys
from vault import fields, tokens
from vault.batch import Batch, prepare
from vault.columns import MAX_ITEMS, Actor, Column, Remember, Tokenized
from vault.drafts import reseal, seal
from vault.errors import InvalidRequest, StaleKeyset, StoreConflict, VaultError
from vault.once import Once
from vault.people import gather
from vault.permitting import Permit, permit
from vault.resources import Resources
from vault.settling import only_appends, settle
from vault.store.writer import Overtaken, Transaction

ATTEMPTS = 8  # a keyset that turned, or a person erased or entered, while the values were being sealed


def tokenize(
    resources: Resources, actor: Actor, columns: Sequence[Column], remember: Remember | None
) -> list[Tokenized]:
    """Return the tokens of each column; see `Vault.tokenize`."""
    if sum(len(column.values) for column in columns) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS} values go into one request", "/values")
    given = permit(resources, actor, "decoys" if any(column.decoy for column in columns) else "tokenize")
    barred = _barred(given, columns)
    failed: VaultError | UnknownKey
    lost = False  # somebody was quicker: new subjects go in before anything is sealed again
    for _ in range(ATTEMPTS):
        try:
            keys = resources.keyring.keys(actor.tenant)
            return _attempt(given, keys, columns, barred, remember, lost)
        except (StaleKeyset, UnknownKey) as error:  # the keys held here are behind
            failed = error
            resources.keyring.reload(actor.tenant)
        except Overtaken:
            failed = StoreConflict("others kept storing the same subjects or tokens first; try again")
            lost = True
    raise failed


def _barred(given: Permit, columns: Sequence[Column]) -> dict[int, VaultError]:
    """Return why values of some columns may not be stored, by column; refuse the request if there is no other."""
    subject = given.actor.subject
    barred: dict[int, VaultError] = {}
    for number, column in enumerate(columns):
        own = subject is not None and set(column.subjects or ()) == {subject}
        error = (
            given.column(column.field, column.spec.tags, own=own) if column.field in fields.names() else None
        )
        if error is not None:
            barred[number] = error
    if barred and len(barred) == len(columns):
        named = {column.field for column in columns}
        field = named.pop() if len(named) == 1 else ""
        raise given.refused(barred[0], field=field, refused=sum(len(column.values) for column in columns))
    return barred


def _attempt(
    given: Permit,
    keys: TenantKeys,
    columns: Sequence[Column],
    barred: Mapping[int, VaultError],
    remember: Remember | None,
    lost: bool,
) -> list[Tokenized]:
    resources, actor = given.resources, given.actor
    prepared = _prepare(resources, actor, keys, columns, barred)
    batches = [batch for batch in prepared if batch is not None]
    everybody = (one for batch in batches for one in batch.drafts.subjects if one is not None)
    people = gather(resources, keys, actor, everybody, store=lost)
    for batch in batches:
        seal(resources, batch.drafts, keys, actor.tenant, people)
    once = Once(keys, actor.tenant, _with(remember, barred))
    simple = remember is None and not people.keys and all(map(only_appends, batches))

    def work(transaction: Transaction) -> list[Tokenized]:
        once.check(transaction)
        if renewed := people.hold(transaction, keys):
            for batch in batches:
                reseal(batch.drafts, actor.tenant, people, renewed)
        results = [
            _refuse(given, keys, column, barred[number], transaction)
            if batch is None
            else _store(given, keys, batch, transaction)
            for number, (column, batch) in enumerate(zip(columns, prepared, strict=True))
        ]
        once.keep(transaction, results)
        return results

    guard = (actor.tenant, keys.generation)
    return resources.database.write(work, guard=guard, deadline=actor.deadline, reads=not simple)


def _with(remember: Remember | None, barred: Collection[int]) -> Remember | None:
    """Return what is kept of a request, with the columns that are barred: who may store others asks for another."""
    if remember is None or not barred:
        return remember
    return replace(remember, request=remember.request + f"\nbarred {sorted(barred)}".encode())


def _prepare(
    resources: Resources, actor: Actor, keys: TenantKeys, columns: Sequence[Column], barred: Collection[int]
) -> list[Batch | None]:
    """Prepare the columns, but those that are barred."""
    bucket = tokens.draw_bucket()
    batches: list[Batch | None] = []
    drawn: set[bytes] = set()
    for number, column in enumerate(columns):
        try:
            batches.append(
                None if number in barred else prepare(resources, keys, actor, column, bucket, drawn)
            )
        except InvalidRequest as error:
            error.column = number
            raise
    return batches


def _store(given: Permit, keys: TenantKeys, batch: Batch, transaction: Transaction) -> Tokenized:
    result, stored, owners = settle(given.actor, batch, transaction)
    row = given.row(
        keys,
        transaction.now,
        operation="tokenize",
        field=batch.drafts.field_type.name,
        count=len(stored),
        refused=len(result.errors),
        tokens=stored,
        persons=owners,
    )
    transaction.append("audit_record", [row])
    return result


def _refuse(
    given: Permit, keys: TenantKeys, column: Column, error: VaultError, transaction: Transaction
) -> Tokenized:
    """Put on record that a column was barred, and refuse each of its values."""
    refused = len(column.values)
    row = given.row(
        keys, transaction.now, operation="tokenize", field=column.field, result=error.code, refused=refused
    )
    transaction.append("audit_record", [row])
    return Tokenized([None] * refused, dict.fromkeys(range(refused), error))
