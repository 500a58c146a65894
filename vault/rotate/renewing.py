"""Persons get new keys, and their values are sealed anew: a person key that a leaked version wrapped is known, too."""

from __future__ import annotations

from functools import partial

from keys.keyring import TenantKeys
from keys.keyset import Purpose, new_key_id
from keys.secret import Secret
from keys.wrapping import unwrap, wrap
from vault import cipher
from vault.errors import UnreadableValue
from vault.resources import person_context
from vault.rotate.run import Run
from vault.store import stale, subjects
from vault.store import tokens as rows
from vault.store.writer import Transaction

BATCH = 25  # persons in one commit: the tokens of each are looked for in every bucket, some two milliseconds


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
    done, skipped = run.commit(
        partial(_renew_all, run.tenant, keys, found), keys=keys, place=stale.place_of(found[-1])
    )
    run.note(done=run.job.done + done, skipped=run.job.skipped + skipped)
    return False


def _renew_all(
    tenant: int, keys: TenantKeys, found: list[stale.Person], transaction: Transaction
) -> tuple[int, int]:
    done = skipped = 0
    for one in found:
        held = subjects.lock(transaction, tenant, one.digest)
        if held != one.key:  # erased meanwhile, or erased and entered anew
            continue
        try:
            _renew(tenant, keys, one, transaction)
        except UnreadableValue:
            skipped += 1
        else:
            done += 1
    return done, skipped


def _renew(tenant: int, keys: TenantKeys, one: stale.Person, transaction: Transaction) -> None:
    """Seal all of one person's values under a new key, and wrap it under the primary."""
    connection, dialect = transaction.connection, transaction.dialect
    context = person_context(tenant, one.digest, one.key)
    old = unwrap(cipher.aead(keys.version(Purpose.SEAL, one.wrap_key)), one.wrapped, context)
    places = rows.of_subject(connection, dialect, tenant, one.digest)
    held = rows.fetch(connection, dialect, tenant, places, rows.Stored)
    new_id, new = new_key_id(), Secret.random().expose()
    changed = []
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
        changed.append((*slots, new_id, transaction.epoch, row.bucket, row.token))
    columns = ("sealed", "metadata", "seal_key", "epoch")
    dialect.change(connection, "token", columns, ("bucket", "token"), tenant, changed)
    primary = keys.primary(Purpose.SEAL)
    blob = wrap(cipher.aead(primary), new, person_context(tenant, one.digest, new_id))
    dialect.change(
        connection, "subject", ("key", "wrapped", "wrap_key", "epoch"), ("bucket", "digest"), tenant,
        [(new_id, blob, primary.id, transaction.epoch, one.bucket, one.digest)],
    )  # fmt: skip
