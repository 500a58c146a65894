"""A shop whose backups are kept in folders."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from keys import identity
from keys.secret import Secret
from tests.vault.conftest import Shop
from tests.vault.recovery.folders import Folder
from tests.vault.recovery.lying import Lying, Rows, key_of
from vault.audit.notes import Verifier
from vault.backup.plan import Plan, Recipients
from vault.recovery import ownkeys
from vault.recovery.keeper import Keeper
from vault.resources import Resources
from vault.store.snapshots import Snapshot
from vault.store.streams import Stream

DAY = 86_400.0


@dataclass
class Kept(Lying):
    """A shop and the folders that its backups go to."""

    shop: Shop
    resources: Resources
    folders: list[Path]
    recovery: Secret
    before: Callable[[str, str, str], None] = lambda _name, _call, _path: None
    unexpected: list[Exception] = field(default_factory=list)

    def targets(self) -> list[Folder]:
        """Return targets with connections of their own."""
        return [
            Folder(one, lambda call, path, one=one: self.before(one.name, call, path)) for one in self.folders
        ]  # type: ignore[misc]

    def keeper(self, told: Callable[[], bool] = lambda: False, holder: str = "test") -> Keeper:
        """Return a keeper that is not started."""
        return Keeper(self.resources, self.targets, holder, told, time.sleep, self.unexpected.append)

    def run_once(self) -> None:
        """Keep backups once."""
        self.keeper().run_once()
        assert not self.unexpected, self.unexpected

    def verifiers(self, installation: str) -> list[Verifier]:
        """Return whom the manifests are to be signed by."""
        return ownkeys.verifiers(self.resources, installation)

    def there(self, stream: Stream) -> Rows:
        """Return what the database has."""
        rows: Rows = defaultdict(dict)
        with Snapshot(self.resources.database) as snapshot:
            for block in snapshot.blocks(stream, -1, {}):
                key = key_of(block.table, list(block.columns))
                rows[block.table] |= {key(row): tuple(row) for row in block.rows}
        return rows

    def alarms(self) -> list[str]:
        """Return the kinds of alarms, in the order in which they were raised."""
        with self.resources.database.read() as connection:
            found = connection.exec_driver_sql("SELECT kind FROM alarm ORDER BY at, id")
            return [row[0] for row in found]


@contextmanager
def kept(shop: Shop, folder: Path, targets: int = 3, **plan: Any) -> Iterator[Kept]:
    """Give a shop with so many folders as targets, and a plan with these values."""
    folders = [folder / f"target{number}" for number in range(targets)]
    for one in folders:
        one.mkdir()
    recovery = Secret.random()
    names = tuple(f"file:{one.name}" for one in folders)
    recipients = Recipients((identity.recipient(recovery),))
    values = {"targets": names, "quorum": min(2, targets), "recipients": recipients, "journal": 0.05}
    resources = replace(shop.resources, backups=Plan(**{**values, **plan}))
    yield Kept(shop, resources, folders, recovery)
