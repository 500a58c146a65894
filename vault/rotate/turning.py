"""A keyset gets a new primary: stored before anything, loaded by every process, and only then active.

Each step is durable before the next begins. So no row is ever sealed under a key that is in memory alone, and no
process meets a row under a key that it has not loaded.
"""

from __future__ import annotations

from keys.errors import KeysetChanged
from keys.keyset import Keyset, State
from vault.rotate.run import Run
from vault.store import presence
from vault.store.keysets import Keysets, put, still_wrapped
from vault.store.writer import Transaction

LOOK = 0.2  # seconds between two looks at who has loaded the new version


def add(run: Run) -> bool:
    """Store a new pre-active version, with its id in the job's notes."""
    generation, keyset = current(run)
    new = run.resources.keyring.add(keyset, run.resources.database.clock())
    notes = {**run.job.notes, "key": f"{new.id:016x}", "generation": generation + 1}

    def work(transaction: Transaction) -> None:
        # While the primary is wrapped as it was before, whoever wraps keysets anew has this tenant's yet to come, and
        # the new version with them; a root's older versions do not open what is stored after that.
        if not still_wrapped(run.tenant, keyset.primary, transaction):
            raise KeysetChanged("the keyset was wrapped anew meanwhile")
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
    run.idle = bool(waiting)
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
    # Where its destruction was planned before, the wait may have ended first.
    if leaked and keyset.version(int(leaked, 16)).state is not State.DESTROYED:
        turned = turned.turned(int(leaked, 16), State.COMPROMISED, now)

    def work(transaction: Transaction) -> None:
        put(run.tenant, turned, generation, transaction)

    # Whoever was entered until now may have a person key that the former primary wrapped.
    notes = {**run.job.notes, "waiting_for": 0, "since": run.resources.database.now()}
    run.commit(work, record=("activate_key", "ok"), notes=notes, **run.onward)
    return False


def current(run: Run) -> tuple[int, Keyset]:
    """Return the tenant's generation and the keyset that turns, as they are stored."""
    generation, keysets = Keysets(run.resources.database).load(run.tenant)
    return generation, keysets[run.purpose]
