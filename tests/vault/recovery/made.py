"""Backups of a vault made by the service's own maker, and restored: what the tests of restores share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from api.hashing.late import LateHasher
from keys import identity
from keys.keyring import Keyring
from keys.provider import RootKey
from keys.secret import Secret
from tests.vault.conftest import CHEAP, Shop, actor
from tests.vault.recovery.folders import Folder
from vault.audit.notes import Verifier
from vault.backup import layout
from vault.backup.model import Kind
from vault.backup.plan import Plan, Recipients
from vault.passwords.pool import Pool
from vault.recovery import ownkeys
from vault.recovery.archive import Archive
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.recovery.lanes import Lanes
from vault.recovery.restored import Means, Restored, Wanted
from vault.recovery.restoring import restore
from vault.recovery.watching import Progress
from vault.resources import Passwords, Resources
from vault.service import Vault
from vault.store import catalogue, jobs
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader
from vault.store.writer import Transaction


@dataclass(slots=True)
class Backups:
    """Backups of a shop in a folder.

    Attributes:
        recovery, drill: identities that they are sealed to.
        verifiers: the keys that sign them.
    """

    shop: Shop
    folder: Path
    recovery: Secret = field(default_factory=Secret.random)
    drill: Secret = field(default_factory=Secret.random)
    verifiers: list[Verifier] = field(default_factory=list)

    def make(self, kind: Kind = "full") -> int:
        """Make a backup of both streams as a worker does; return its number."""
        target = Folder(self.folder)
        self.folder.mkdir(exist_ok=True)
        recipients = Recipients((identity.recipient(self.recovery),), (identity.recipient(self.drill),))
        plan = Plan((target.name,), 1, recipients=recipients)
        resources = replace(self.shop.resources, backups=plan)
        health = Health(resources, [target.name], lambda: None)
        lanes = Lanes(
            resources, lambda: [Folder(self.folder)], Holding(resources, "test"), health, "test", lambda: False,
            _raise,
        )  # fmt: skip
        lanes.tend()
        if kind == "journal":
            lanes.ship()
        else:
            resources.database.write(lambda transaction: self._ask(transaction, kind))
            lanes.errand()
        lanes.close()
        Holding(resources, "test").release()
        with resources.database.read() as connection:
            number, _ = catalogue.known_installation(connection) or (0, None)
            newest = catalogue.newest(connection, "data")
        self.verifiers = ownkeys.verifiers(resources, layout.installation(number))
        assert newest is not None
        assert newest.kind == kind
        return newest.number

    def _ask(self, transaction: Transaction, kind: Kind) -> None:
        asked = {"kind": kind}
        jobs.add(
            transaction,
            self.shop.actor.tenant,
            "make_backup",
            "backups",
            asked,
            "test",
            "test",
            everywhere=True,
        )

    def archive(self) -> Archive:
        """Return the reading side."""
        return Archive(Folder(self.folder), self.verifiers)

    def restore(
        self, url: str, wanted: Wanted | None = None, means: Means | None = None,
        roots: Sequence[RootKey] | None = None, *, dry_run: bool = False,
        progress: Progress = lambda _phase, _done, _total: None,
    ) -> Restored:  # fmt: skip
        """Restore them into the empty database at `url`, by the shop's root unless others are given."""
        given = list(self.shop.resources.keyring.roots.values()) if roots is None else roots
        loader = Loader(url, self.shop.resources.database.clock, time.monotonic)
        return restore(
            self.archive(), loader, _keyring(Keysets(untouched(url)), given), wanted or Wanted(), means,
            dry_run=dry_run, progress=progress,
        )  # fmt: skip

    @contextmanager
    def opened(self, url: str, roots: Sequence[RootKey] | None = None) -> Iterator[Shop]:
        """Give the shop that was restored at `url`."""
        given = list(self.shop.resources.keyring.roots.values()) if roots is None else roots
        shift = list(self.shop.shift)
        database = Database(url, lambda: time.time() + shift[0], time.monotonic)
        resources = Resources(
            database, _keyring(Keysets(database), given), time.monotonic, passwords=Passwords(profile=CHEAP),
            hasher=LateHasher(lambda: Pool(256 * 1_024, wait_seconds=60), 256 * 1_024),
        )  # fmt: skip
        vault = Vault(resources)
        try:
            yield Shop(
                vault,
                resources,
                actor(self.shop.actor.tenant, "live"),
                actor(self.shop.tests.tenant, "test"),
                shift,
            )
        finally:
            vault.close()


def untouched(url: str) -> Database:
    """Return a database of which nobody asks anything."""
    return Database(url, time.time, time.monotonic)


def _keyring(store: Keysets, roots: Sequence[RootKey]) -> Keyring:
    return Keyring(store, {root.name: root for root in roots}, roots[0].name, time.monotonic)


def _raise(error: Exception) -> None:
    raise error
