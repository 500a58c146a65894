"""Blocks of a backup poured into a database: held against the manifest's digests on the way, some treated specially."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vault.backup import layout
from vault.backup.blocks import Digester
from vault.backup.model import Manifest
from vault.errors import BackupDamaged
from vault.store.dialect import COLUMNS, Row
from vault.store.loading import Loader
from vault.store.streams import TABLES, Block

Take = Callable[[Block, bool], Block | None]
"""Takes a block with all columns of its table, and whether it is the table's first in its manifest; what is returned is
loaded."""


class Pour:
    """Takes the manifests of one chain, the full one first, and for each its blocks in order."""

    def __init__(self, loader: Loader, special: Mapping[str, Take]) -> None:
        """Args: `special` takes the blocks of some tables before they are loaded."""
        self._loader, self._special = loader, special
        self._seen: set[str] = set()
        self._held: Mapping[str, str] = {}
        self._digesters: dict[str, Digester] = {}

    def begin(self, manifest: Manifest, digest_key: bytes | None) -> None:
        """Go on with the next manifest.

        Args:
            digest_key: of the digests in it; None where that key is not at hand.
        """
        full = manifest.kind == "full"
        self._loader.layer(full=full)
        self._seen, before, self._held = set(), self._held, manifest.digests
        here = {
            name for name, digest in manifest.digests.items()
            if full or (TABLES[manifest.stream].get(name) == "whole" and before.get(name) != digest)
        }  # fmt: skip
        self._digesters = {} if digest_key is None else {name: Digester(digest_key) for name in here}

    def take(self, block: Block) -> None:
        """Load a block."""
        name, first = block.table, block.table not in self._seen
        self._seen.add(name)
        if name in self._digesters:
            self._digesters[name].add(block.rows)
        take = self._special.get(name)
        found = block if take is None else take(completed(block), first)
        if found is not None:
            self._loader.put(found)

    def end(self, manifest: Manifest) -> None:
        """Return if the rows that came are those of the manifest's digests; BackupDamaged names the table."""
        for name, digester in self._digesters.items():
            if digester.hex() != manifest.digests[name]:
                path = layout.manifest(manifest.installation, manifest.stream, manifest.number)
                raise BackupDamaged(f"the rows of table {name} are not those that were backed up", path)


def completed(block: Block) -> Block:
    """Return a block with all columns of its table, in their order; those that it lacks are empty."""
    names = COLUMNS.get(block.table)
    if names is None or list(block.columns) == names:
        return block
    places = [block.columns.index(name) if name in block.columns else None for name in names]
    rows: list[Row] = [tuple(None if at is None else row[at] for at in places) for row in block.rows]
    return Block(block.table, names, rows)
