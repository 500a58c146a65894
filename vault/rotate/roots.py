"""Keysets of every tenant under another root, or under the newest version of their root's own key.

The plain keys stay the same, so no process loads anything, and nobody notices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from keys.errors import RootCannotTurn
from keys.keyset import KeyVersion, Purpose, wrapping_context
from keys.provider import RootKey, TurningRoot
from vault.rotate.run import Run
from vault.store import copies, inspection
from vault.store.keysets import Keysets, rewrap
from vault.store.writer import Transaction

LOOK = 1.0  # seconds between two looks at what was shipped
Held = tuple[Purpose, KeyVersion]


def move(run: Run) -> bool:
    """Wrap one more tenant's keysets under the root that the job names."""
    target = run.resources.keyring.root(run.job.notes["to"])
    return _each(run, lambda version: version.root != target.name, _by_hand(run, target), target.name)


def turn(run: Run) -> bool:
    """Make a new version of the root's own key, unless this job did so before it was interrupted."""
    root = turning(run)
    if "before" not in run.job.notes:
        run.note(notes={**run.job.notes, "before": root.latest()})
    if root.latest() == run.job.notes["before"]:
        root.turn()
    run.note(notes={**run.job.notes, "version": root.latest()}, **run.onward)
    return False


def rewrap_all(run: Run) -> bool:
    """Bring one more tenant's keysets under the newest version of the root's own key, inside the root."""
    root = turning(run)
    newest = run.job.notes["version"]

    def old(version: KeyVersion) -> bool:
        return version.root == root.name and root.version_of(version.wrapped) < newest

    def again(tenant: int, held: Sequence[Held]) -> list[bytes]:
        return root.rewrap([version.wrapped for _, version in held], _contexts(tenant, held))

    return _each(run, old, again, root.name)


def note_version(run: Run) -> bool:
    """Note which version of the root's own key is the newest."""
    run.note(notes={**run.job.notes, "version": turning(run).latest()}, **run.onward)
    return False


def ship(run: Run) -> bool:
    """Wait until the keysets lie at the targets of backups as they are wrapped now, where there are any targets.

    A root whose older versions open nothing opens no older keyring.
    """
    database = run.resources.database
    if not run.resources.backups.targets:
        return True
    if "rewrapped" not in run.job.notes:
        run.note(notes={**run.job.notes, "rewrapped": database.now()})
    with database.read() as connection:
        shipped = copies.shipped(connection)
    if shipped is not None and shipped >= run.job.notes["rewrapped"]:
        return True
    run.idle = True
    run.note()  # it goes on to hold the job
    run.pause(LOOK)
    return False


def retire(run: Run) -> bool:
    """Let the older versions of the root's own key open nothing any more: all that they wrapped was wrapped anew."""
    turning(run).retire_before(run.job.notes["version"])
    return True


def count(run: Run) -> int:
    """Return how many key versions, of all tenants, a job about roots will wrap anew."""
    notes, database = run.job.notes, run.resources.database
    return sum(
        bool(version.wrapped)
        and (version.root != notes["to"] if "to" in notes else version.root == notes["root"])
        for tenant in inspection.tenants(database)
        for keyset in Keysets(database).load(tenant)[1].values()
        for version in keyset.versions
    )


def turning(run: Run) -> TurningRoot:
    """Return the job's root; RootCannotTurn if its own key has no versions."""
    root = run.resources.keyring.root(run.job.notes["root"])
    if not isinstance(root, TurningRoot):
        raise RootCannotTurn("this root's own key has no versions; move the keysets to another root")
    return root


def _by_hand(run: Run, target: RootKey) -> Callable[[int, Sequence[Held]], list[bytes]]:
    def again(tenant: int, held: Sequence[Held]) -> list[bytes]:
        keyring, wrapped = run.resources.keyring, dict[int, bytes]()
        for name in {version.root for _, version in held}:
            theirs = [one for one in held if one[1].root == name]
            contexts = _contexts(tenant, theirs)
            plain = keyring.root(name).unwrap([version.wrapped for _, version in theirs], contexts)
            blobs = target.wrap(plain, contexts)
            wrapped |= {version.id: blob for (_, version), blob in zip(theirs, blobs, strict=True)}
        return [wrapped[version.id] for _, version in held]

    return again


def _each(
    run: Run,
    wanted: Callable[[KeyVersion], bool],
    again: Callable[[int, Sequence[Held]], list[bytes]],
    root: str,
) -> bool:
    """Wrap the next tenant's versions anew; True when no tenant has one left, those made meanwhile among them."""
    database = run.resources.database
    for tenant in inspection.tenants(database):
        _, keysets = Keysets(database).load(tenant)
        held = [
            (purpose, version)
            for purpose, keyset in keysets.items()
            for version in keyset.versions
            if version.wrapped and wanted(version)
        ]
        if held:
            run.commit(
                partial(_store, tenant, held, again(tenant, held), root), done=run.job.done + len(held)
            )
            return False
    return True


def _contexts(tenant: int, held: Sequence[Held]) -> list[bytes]:
    return [wrapping_context(tenant, purpose, version.id) for purpose, version in held]


def _store(
    tenant: int, held: Sequence[Held], blobs: Sequence[bytes], root: str, transaction: Transaction
) -> None:
    for (_, version), blob in zip(held, blobs, strict=True):
        rewrap(tenant, version, root, blob, transaction)
