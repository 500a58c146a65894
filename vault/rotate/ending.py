"""The last phases of a rotation: what is left over is told, and a version that nothing needs any more goes."""

from __future__ import annotations

from dataclasses import replace

from keys.keyset import Keyset, KeyVersion, Purpose, State
from vault.rotate.run import Run
from vault.rotate.turning import current
from vault.store.keysets import put
from vault.store.needs import needs
from vault.store.writer import Transaction


def shelve(run: Run) -> bool:
    """Suspend the index versions that find nothing any more: a look-up asks every version that opens."""
    generation, keyset = current(run)
    turned = keyset
    for version in keyset.versions:
        if version.state is State.DEACTIVATED and not _needs(run, keyset, version, backups=False):
            turned = turned.turned(version.id, State.SUSPENDED, run.resources.database.clock())
    if turned == keyset:
        return True

    def work(transaction: Transaction) -> None:
        put(run.tenant, turned, generation, transaction)

    run.commit(work, record=("suspend_key", "ok"), **run.onward)
    return False


def destroy(run: Run) -> bool:
    """Destroy the leaked version at once, unless something still needs it: then the job ends with that word."""
    generation, keyset = current(run)
    version = keyset.version(int(run.job.notes["compromised"], 16))
    left = _needs(run, keyset, version)
    if left or keyset.purpose is Purpose.AUDIT:
        run.note(error="key_in_use", notes={**run.job.notes, "needed_by": left}, **run.onward)
        return False

    def work(transaction: Transaction) -> None:
        turned = keyset.put(replace(version, destroy_at=None))
        turned = turned.turned(version.id, State.DESTROYED, transaction.now / 1e6)
        put(run.tenant, turned, generation, transaction)

    run.commit(work, record=("destroy_key", "ok"), **run.onward)
    return False


def _needs(run: Run, keyset: Keyset, version: KeyVersion, *, backups: bool = True) -> dict[str, int]:
    database = run.resources.database
    with database.read() as connection:
        return needs(connection, keyset, version, database.now(), backups=backups)
