"""Values into tokens: normalize the column, index it, seal it, store it with its audit record, all in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from keys.keyring import TenantKeys
from vault import tokens
from vault.audit import journal
from vault.batch import Batch, prepare, seal_all
from vault.columns import MAX_ITEMS, Actor, Column, Remember, Tokenized
from vault.errors import InvalidRequest, StaleKeyset, VaultError
from vault.once import Once
from vault.people import People, StalePeople, gather
from vault.resources import Resources
from vault.settling import only_appends, settle
from vault.store.writer import Transaction

ATTEMPTS = 8  # a keyset that turned, or a person erased or entered, while the values were being sealed


def tokenize(
    resources: Resources, actor: Actor, columns: Sequence[Column], remember: Remember | None
) -> list[Tokenized]:
    """Return the tokens of each column; see `Vault.tokenize`."""
    if sum(len(column.values) for column in columns) > MAX_ITEMS:
        raise InvalidRequest(f"at most {MAX_ITEMS} values go into one request", "/values")
    failed: VaultError = StaleKeyset("the keyset kept changing")
    lost = (
        False  # somebody else entered the same subjects first: theirs go in before anything is sealed again
    )
    for _ in range(ATTEMPTS):
        try:
            keys = resources.keyring.keys(actor.tenant)
            return _attempt(resources, actor, keys, columns, remember, lost)
        except StaleKeyset as error:
            failed = error
            resources.keyring.reload(actor.tenant)
        except StalePeople:
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
    bucket = tokens.draw_bucket()
    batches = [prepare(resources, keys, actor, column, bucket) for column in columns]
    everybody = (one for batch in batches for one in batch.drafts.subjects if one is not None)
    people = gather(resources, keys, actor, everybody, store=lost)
    for batch in batches:
        seal_all(resources, keys, actor.tenant, people, batch)
    once = Once(keys, actor.tenant, remember)
    simple = remember is None and not people.keys and all(map(only_appends, batches))

    def work(transaction: Transaction) -> list[Tokenized]:
        once.check(transaction)
        people.hold(transaction, actor.tenant)
        results = [_store(resources, keys, actor, people, batch, transaction) for batch in batches]
        once.keep(transaction, results)
        return results

    guard = (actor.tenant, keys.generation)
    return resources.database.write(work, guard=guard, deadline=actor.deadline, reads=not simple)


def _store(
    resources: Resources,
    keys: TenantKeys,
    actor: Actor,
    people: People,
    batch: Batch,
    transaction: Transaction,
) -> Tokenized:
    result, stored = settle(resources, keys, actor, people, batch, transaction)
    row = journal.row(
        keys, actor, transaction.now, "tokenize",
        field=batch.drafts.field_type.name, count=len(stored), refused=len(result.errors), tokens=stored,
    )  # fmt: skip
    transaction.append("audit_record", [row])
    return result
