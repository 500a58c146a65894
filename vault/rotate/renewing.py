"""Persons get new keys, and their values are sealed anew: a person key that a leaked version wrapped is known, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from keys.errors import UnknownKey
from keys.keyset import Purpose, new_key_id
from keys.openkeys import TenantKeys
from keys.secret import Secret
from keys.wrapping import wrap
from vault import cipher
from vault.errors import UnreadableValue
from vault.resources import open_person_key, person_context
from vault.rotate.run import Run
from vault.store import stale, subjects
from vault.store import tokens as rows
from vault.store.dialect import Row
from vault.store.writer import Transaction

BATCH = 25  # persons in one commit: the tokens of each are looked for in every bucket, some two milliseconds


@dataclass(slots=True, repr=False)
class _Renewed:
    """What one step changes: rows of `token` and of `subject`, and how many persons it left as they are."""

    tokens: list[Row] = field(default_factory=list)
    subjects: list[Row] = field(default_factory=list)
    skipped: int = 0


def renew(run: Run) -> bool:
    """Give the next persons new keys; of one whose values do not open, everything is left, and counted."""
    keys, database = run.keys(), run.resources.database
    primary = keys.primary(Purpose.SEAL)
    with database.read() as connection:
        where = stale.made_before(run.job.notes["since"]) | stale.wrapped_by_another(primary.id)
        found = stale.people(connection, run.tenant, where, run.job.place, BATCH)
    if not found:
        return True
    run.resources.keyring.spend(run.tenant, primary, len(found))

    def work(transaction: Transaction) -> dict[str, int]:
        renewed = _renew_all(run.tenant, keys, found, transaction)
        done = run.job.done + len(renewed.subjects)
        return {"done": done, "skipped": run.job.skipped + renewed.skipped}

    run.commit(work, keys=keys, counted=True, place=stale.place_of(found[-1]))
    return False


def _renew_all(
    tenant: int, keys: TenantKeys, found: list[stale.Person], transaction: Transaction
) -> _Renewed:
    """Store all at once, for rows change in the order in which deletions lock them: so neither waits for the other."""
    renewed = _Renewed()
    for one in found:
        held = subjects.lock(transaction, tenant, one.digest)
        if held != one.key:  # erased meanwhile, or erased and entered anew
            continue
        try:
            _renew(tenant, keys, one, transaction, renewed)
        except (UnreadableValue, UnknownKey):
            renewed.skipped += 1
    connection, change = transaction.connection, transaction.dialect.change
    columns = ("sealed", "metadata", "seal_key", "epoch")
    change(connection, "token", columns, ("bucket", "token"), tenant, renewed.tokens)
    columns = ("key", "wrapped", "wrap_key", "epoch")
    change(connection, "subject", columns, ("bucket", "digest"), tenant, renewed.subjects)
    return renewed


def _renew(
    tenant: int, keys: TenantKeys, one: stale.Person, transaction: Transaction, renewed: _Renewed
) -> None:
    """Seal all of one person's values under a new key, and wrap it under the primary."""
    connection, dialect = transaction.connection, transaction.dialect
    old = open_person_key(keys, tenant, one.digest, one.key, one.wrapped, one.wrap_key)
    places = rows.of_subject(connection, dialect, tenant, one.digest)
    held = rows.fetch(connection, dialect, tenant, places, rows.Stored)
    new_id, new = new_key_id(), Secret.random().expose()
    changed: list[Row] = []
    for row in held.values():
        slots: list[bytes | None] = []
        for slot, blob in (("value", row.sealed), ("metadata", row.metadata)):
            if blob is None:
                slots.append(None)
                continue
            (plain,) = cipher.open_column(
                tenant, slot, [row.field], [row.token], [blob],
                partial(keys.version, Purpose.SEAL), {one.key: old},
            )  # fmt: skip
            slots.append(cipher.seal_for_person(new, new_id, tenant, row.field, slot, row.token, plain))
        names = new_id if any(slots) else None
        changed.append((*slots, names, transaction.epoch, row.bucket, row.token))
    primary = keys.primary(Purpose.SEAL)
    blob = wrap(cipher.aead(primary), new, person_context(tenant, one.digest, new_id))
    renewed.tokens += changed
    renewed.subjects.append((new_id, blob, primary.id, transaction.epoch, one.bucket, one.digest))
