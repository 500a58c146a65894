"""A shop whose backups are kept in folders, and what lies there, read without any part of the service's own database."""

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
from vault.audit.notes import Verifier
from vault.backup import blocks, envelope, layout, manifests
from vault.backup.model import Manifest
from vault.backup.plan import Plan, Recipients
from vault.recovery import ownkeys
from vault.recovery.keeper import Keeper
from vault.resources import Resources
from vault.store.snapshots import Snapshot
from vault.store.streams import TABLES, Stream
from vault.store.tables import metadata

Rows = dict[str, dict[Any, tuple[Any, ...]]]  # by table and primary key
DAY = 86_400.0


@dataclass
class Kept:
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

    def manifests(self, folder: Path, stream: Stream) -> list[Manifest]:
        """Return what is listed in a folder, by number; each is read and verified."""
        found = sorted(folder.glob(f"*/{stream}/manifests/*.txt"))
        return [self._manifest(folder, str(one.relative_to(folder))) for one in found]

    def chain(self, folder: Path, stream: Stream, number: int | None = None) -> list[Manifest]:
        """Return what is loaded for the newest backup, or another, the full one first."""
        known = {one.number: one for one in self.manifests(folder, stream)}
        found = [known[number or max(known)]]
        while found[0].base is not None:
            found.insert(0, known[found[0].base.number])
        return found

    def loaded(self, folder: Path, stream: Stream, number: int | None = None) -> Rows:
        """Return the rows that a restore would have of a stream before it replays what was deleted."""
        rows: Rows = defaultdict(dict)
        for manifest in self.chain(folder, stream, number):
            assert manifest.kind != "full" or not rows
            whole: set[str] = set()
            for block in self.blocks(folder, manifest):
                if TABLES[stream].get(block.table, "whole") == "whole" and block.table not in whole:
                    rows[block.table] = {}
                    whole.add(block.table)
                key = _key(block.table, list(block.columns))
                rows[block.table] |= {key(row): tuple(row) for row in block.rows}
        return rows

    def blocks(self, folder: Path, manifest: Manifest) -> Iterator[blocks.Block]:
        """Yield the blocks of one backup."""
        for chunk in manifest.chunks:
            path = layout.chunk(manifest.installation, manifest.stream, chunk.digest)
            yield from blocks.decode(envelope.opened((folder / path).read_bytes(), [self.recovery]))

    def verifiers(self, installation: str) -> list[Verifier]:
        """Return whom the manifests are to be signed by."""
        return ownkeys.verifiers(self.resources, installation)

    def _manifest(self, folder: Path, path: str) -> Manifest:
        return manifests.read((folder / path).read_bytes(), path, self.verifiers(path.partition("/")[0]))

    def there(self, stream: Stream) -> Rows:
        """Return what the database has."""
        rows: Rows = defaultdict(dict)
        with Snapshot(self.resources.database) as snapshot:
            for block in snapshot.blocks(stream, -1, {}):
                key = _key(block.table, list(block.columns))
                rows[block.table] |= {key(row): tuple(row) for row in block.rows}
        return rows

    def alarms(self) -> list[str]:
        """Return the kinds of alarms, in the order in which they were raised."""
        with self.resources.database.read() as connection:
            found = connection.exec_driver_sql("SELECT kind FROM alarm ORDER BY at, id")
            return [row[0] for row in found]


def _key(table: str, columns: list[str]) -> Callable[[Any], Any]:
    if table == "escrow":
        return lambda row: row[0]
    names = metadata.tables[table].primary_key.columns.keys()
    places = [columns.index(name) for name in names]
    return lambda row: tuple(row[place] for place in places)


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
