"""Every password's verifier comes under the primary of the password keyset; no user is needed, no password known."""

from __future__ import annotations

from keys.errors import UnknownKey
from keys.keyset import Purpose
from vault import verifiers as kept
from vault.errors import UnreadableValue
from vault.rotate.run import Run
from vault.rotate.sealing import BATCH, readable
from vault.store import stale
from vault.store.writer import Transaction


def verifiers(run: Run) -> bool:
    """Seal the next verifiers anew; what does not open is left as it is, and counted."""
    keys, database = run.keys(), run.resources.database
    primary = keys.primary(Purpose.PASSWORD)
    with database.read() as connection:
        found = stale.passwords(connection, run.tenant, primary.id, run.job.place, BATCH)
    if not found:
        return True
    try:
        good = found
        opened = kept.open_column(keys, found)
    except (UnreadableValue, UnknownKey):
        good = readable(found, lambda row: kept.open_column(keys, [row]))
        opened = kept.open_column(keys, good)
    run.resources.keyring.spend(run.tenant, primary, len(good))
    sealed = kept.seal_column(keys, [row.account for row in good], opened)

    def work(transaction: Transaction) -> None:
        changed = [
            (blob, primary.id, transaction.epoch, row.bucket, row.account, row.seal_key)
            for row, blob in zip(good, sealed, strict=True)
        ]
        columns, on = ("sealed", "seal_key", "epoch"), ("bucket", "account", "seal_key")
        transaction.dialect.change(transaction.connection, "password", columns, on, run.tenant, changed)

    run.commit(
        work, keys=keys, place=stale.place_of(found[-1]), done=run.job.done + len(good),
        skipped=run.job.skipped + len(found) - len(good),
    )  # fmt: skip
    return False
