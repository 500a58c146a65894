"""A keyset gets a new primary: stored before anything, loaded by every process, and only then active.

Each step is durable before the next begins. So no row is ever sealed under a key that is in memory alone, and no
process meets a row under a key that it has not loaded.
"""

from __future__ import annotations

from keys.errors import KeysetChanged
from keys.keyset import Keyset, State
from vault.rotate.run import Run
from vault.store import presence
from vault.store.keysets import Keysets, primary_root, put
from vault.store.writer import Transaction

LOOK = 0.2  # seconds between two looks at who has loaded the new version


def add(run: Run) -> bool:
    """Store a new pre-active version, with its id in the job's notes."""
    generation, keyset = current(run)
    new = run.resources.keyring.add(keyset, run.resources.database.clock())
    notes = {**run.job.notes, "key": f"{new.id:016x}", "generation": generation + 1}

    def work(transaction: Transaction) -> None:
        if primary_root(run.tenant, keyset, transaction) != new.root:
            raise KeysetChanged("the keyset was moved to another root meanwhile")
        put(run.tenant, keyset.with_version(new), generation, transaction)

    run.commit(work, notes=notes, **run.onward)
    return False


def spread(run: Run) -> bool:
    """Wait until every live process that holds the tenant's keys has loaded the new version."""
    run.keys()
    database = run.resources.database
    with database.read() as connection:
        behind = presence.behind(connection, run.tenant, run.job.notes["generation"], database.now())
    waiting = [name for name in behind if not run.resources.gone(name)]
    if waiting:
        run.note(notes={**run.job.notes, "waiting_for": len(waiting)})
        run.pause(LOOK)
        return False
    return True


def activate(run: Run) -> bool:
    """Make the new version the primary; the former one opens only, and is compromised where that is why it turned."""
    generation, keyset = current(run)
    new, now = int(run.job.notes["key"], 16), run.resources.database.clock()
    leaked = run.job.notes.get("compromised")
    former = State.COMPROMISED if leaked and keyset.primary.id == int(leaked, 16) else State.DEACTIVATED
    turned = keyset.activated(new, now, former)
    if leaked:
        turned = turned.turned(int(leaked, 16), State.COMPROMISED, now)

    def work(transaction: Transaction) -> None:
        put(run.tenant, turned, generation, transaction)
        run.record(transaction, "activate_key")

    # Whoever was entered until now may have a person key that the former primary wrapped.
    notes = {**run.job.notes, "waiting_for": 0, "since": run.resources.database.now()}
    run.commit(work, notes=notes, **run.onward)
    return False


def current(run: Run) -> tuple[int, Keyset]:
    """Return the tenant's generation and the keyset that turns, as they are stored."""
    generation, keysets = Keysets(run.resources.database).load(run.tenant)
    return generation, keysets[run.purpose]
