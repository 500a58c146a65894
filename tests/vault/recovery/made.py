"""Backups of a vault made by the service's own maker, and restored: what the tests of restores share."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.hashing.late import LateHasher
from keys import identity
from keys.keyring import Keyring
from keys.provider import RootKey
from keys.secret import Secret
from tests.vault.conftest import CHEAP, Shop, actor
from tests.vault.recovery.folder import Folder
from vault.audit.notes import Verifier
from vault.backup.model import Kind
from vault.backup.plan import Plan, Recipients
from vault.passwords.pool import Pool
from vault.recovery import ownkeys
from vault.recovery.archive import Archive
from vault.recovery.bases import Bases
from vault.recovery.escrow import Escrow
from vault.recovery.fanout import Fanout
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.recovery.line import Line, of_installation
from vault.recovery.making import Making
from vault.recovery.restored import Means, Restored, Wanted
from vault.recovery.restoring import restore
from vault.resources import Passwords, Resources
from vault.service import Vault
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader
from vault.store.snapshots import Snapshot, prepare


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
        """Make a backup of both streams; return its number."""
        with self._line() as (line, making):
            prepare(line.resources.database)
            bases = Bases(line.resources, line.installation)
            with Snapshot(line.resources.database) as snapshot:
                keyring = making.begin(snapshot, "keyring", kind, bases.find("keyring", kind))
                assert keyring is not None
                making.finish(keyring)
                data = making.begin(snapshot, "data", kind, bases.find("data", kind), keyring.number)
                assert data is not None
                number = making.finish(data)
            self.verifiers = ownkeys.verifiers(line.resources, line.installation)
            return number

    @contextmanager
    def _line(self) -> Iterator[tuple[Line, Making]]:
        target = Folder(self.folder)
        recipients = Recipients((identity.recipient(self.recovery),), (identity.recipient(self.drill),))
        plan = Plan((target.name,), 1, recipients=recipients)
        shop = self.shop.resources
        resources = Resources(shop.database, shop.keyring, shop.monotonic, backups=plan)
        health = Health(resources, [target.name], lambda: None)
        holding = Holding(resources, "test")
        fanout = Fanout([target], 30.0, time.monotonic, _refuse, _raise)
        line = Line(
            resources, holding, health, Escrow(resources.keyring, recipients.recovery), lambda: False,
            *of_installation(resources),
        )  # fmt: skip
        making = Making(line, fanout, 1.0)
        try:
            yield line, making
        finally:
            making.close()
            holding.release()

    def archive(self) -> Archive:
        """Return the reading side."""
        return Archive(Folder(self.folder), self.verifiers)

    def restore(
        self, url: str, wanted: Wanted | None = None, means: Means | None = None,
        roots: Sequence[RootKey] | None = None, *, dry_run: bool = False,
    ) -> Restored:  # fmt: skip
        """Restore them into the empty database at `url`, by the shop's root unless others are given."""
        given = list(self.shop.resources.keyring.roots.values()) if roots is None else roots
        loader = Loader(url, self.shop.resources.database.clock, time.monotonic)
        return restore(
            self.archive(), loader, _keyring(Keysets(loader_less(url)), given), wanted or Wanted(), means,
            dry_run=dry_run,
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
                vault, resources, actor(self.shop.actor.tenant, "live"), actor(self.shop.tests.tenant, "test"), shift
            )
        finally:
            vault.close()


def loader_less(url: str) -> Database:
    """Return a database that is not touched."""
    return Database(url, time.time, time.monotonic)


def _keyring(store: Keysets, roots: Sequence[RootKey]) -> Keyring:
    return Keyring(store, {root.name: root for root in roots}, roots[0].name, time.monotonic)


def _refuse(name: str, code: str) -> None:
    raise AssertionError(f"{name}: {code}")


def _raise(error: Exception) -> None:
    raise error
