"""Values into tokens: normalize the column, index it, seal it, store it with its audit record, all in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from keys.errors import UnknownKey
from keys.openkeys import TenantKeys
from vault import tokens
from vault.audit import journal
from vault.batch import Batch, prepare
from vault.columns import MAX_ITEMS, Actor, Column, Remember, Tokenized
from vault.drafts import reseal, seal
from vault.errors import InvalidRequest, StaleKeyset, StoreConflict, VaultError
from vault.once import Once
from vault.people import gather
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
    failed: VaultError | UnknownKey
    lost = False  # somebody was quicker: new subjects go in before anything is sealed again
    for _ in range(ATTEMPTS):
        try:
            keys = resources.keyring.keys(actor.tenant)
            return _attempt(resources, actor, keys, columns, remember, lost)
        except (StaleKeyset, UnknownKey) as error:  # the keys held here are behind
            failed = error
            resources.keyring.reload(actor.tenant)
        except Overtaken:
            failed = StoreConflict("others kept storing the same subjects or tokens first; try again")
            lost = True
    raise failed


def _attempt(
    resources: Resources,
    actor: Actor,
    keys: TenantKeys,
    columns: Sequence[Column],
    remember: Remember | None,
    lost: bool,
) -> list[Tokenized]:
    batches = _prepare(resources, actor, keys, columns)
    everybody = (one for batch in batches for one in batch.drafts.subjects if one is not None)
    people = gather(resources, keys, actor, everybody, store=lost)
    for batch in batches:
        seal(resources, batch.drafts, keys, actor.tenant, people)
    once = Once(keys, actor.tenant, remember)
    simple = remember is None and not people.keys and all(map(only_appends, batches))

    def work(transaction: Transaction) -> list[Tokenized]:
        once.check(transaction)
        if renewed := people.hold(transaction, keys):
            for batch in batches:
                reseal(batch.drafts, actor.tenant, people, renewed)
        results = [_store(keys, actor, batch, transaction) for batch in batches]
        once.keep(transaction, results)
        return results

    guard = (actor.tenant, keys.generation)
    return resources.database.write(work, guard=guard, deadline=actor.deadline, reads=not simple)


def _prepare(resources: Resources, actor: Actor, keys: TenantKeys, columns: Sequence[Column]) -> list[Batch]:
    bucket, batches = tokens.draw_bucket(), []
    drawn: set[bytes] = set()
    for number, column in enumerate(columns):
        try:
            batches.append(prepare(resources, keys, actor, column, bucket, drawn))
        except InvalidRequest as error:
            error.column = number
            raise
    return batches


def _store(keys: TenantKeys, actor: Actor, batch: Batch, transaction: Transaction) -> Tokenized:
    result, stored = settle(actor, batch, transaction)
    row = journal.row(
        keys, actor, transaction.now, "tokenize",
        field=batch.drafts.field_type.name, count=len(stored), refused=len(result.errors), tokens=stored,
    )  # fmt: skip
    transaction.append("audit_record", [row])
    return result
