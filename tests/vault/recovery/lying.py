"""What lies in a folder of backups, read without the service's database, as a restore reads it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keys.secret import Secret
from vault.audit.notes import Verifier
from vault.backup import blocks, envelope, layout, manifests
from vault.backup.model import Manifest
from vault.store.streams import TABLES, Stream
from vault.store.tables import metadata

Rows = dict[str, dict[Any, tuple[Any, ...]]]  # by table and primary key


class Lying:
    """Reads folders; `recovery` opens what lies there, and `verifiers` says who is to have signed it."""

    recovery: Secret

    def verifiers(self, installation: str) -> list[Verifier]:
        """Return whom the manifests are to be signed by."""
        raise NotImplementedError

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
                key = key_of(block.table, list(block.columns))
                rows[block.table] |= {key(row): tuple(row) for row in block.rows}
        return rows

    def blocks(self, folder: Path, manifest: Manifest) -> Iterator[blocks.Block]:
        """Yield the blocks of one backup."""
        for chunk in manifest.chunks:
            path = layout.chunk(manifest.installation, manifest.stream, chunk.digest)
            yield from blocks.decode(envelope.opened((folder / path).read_bytes(), [self.recovery]))

    def _manifest(self, folder: Path, path: str) -> Manifest:
        return manifests.read((folder / path).read_bytes(), path, self.verifiers(path.partition("/")[0]))


def key_of(table: str, columns: list[str]) -> Callable[[Any], Any]:
    """Return what gives the primary key of a row."""
    if table == "escrow":
        return lambda row: row[0]
    names = metadata.tables[table].primary_key.columns.keys()
    places = [columns.index(name) for name in names]
    return lambda row: tuple(row[place] for place in places)
