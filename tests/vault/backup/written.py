"""Backups for tests: rows of every table, sealed and signed by `vault.backup` and laid into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from keys import identity
from keys.openkeys import OpenKey
from keys.secret import Secret
from vault.audit.notes import Verifier
from vault.backup import blocks, envelope, layout, manifests
from vault.backup.model import FORMAT, Chunk, Kind, Link, Manifest
from vault.store import revision
from vault.store.cells import Cell, columns
from vault.store.streams import ESCROW, TABLES, Block, Stream

INSTALLATION = "00000000000000a1"
HOUR = 3_600_000_000  # microseconds
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "flag": st.integers(0, 1),
    "text": st.text(max_size=20),
    "bytes": st.binary(max_size=40),
}


def values(cell: Cell) -> st.SearchStrategy[Any]:
    """What a column may hold."""
    return st.none() | VALUES[cell.kind] if cell.nullable else VALUES[cell.kind]


def some_blocks(stream: Stream) -> st.SearchStrategy[list[Block]]:
    """Blocks of a stream's tables, with all columns or some that an older version had."""
    tables = st.sampled_from([*TABLES[stream], *([ESCROW] if stream == "keyring" else [])])
    return st.lists(tables.flatmap(_some_rows), max_size=2)


@st.composite
def _some_rows(draw: st.DrawFn, table: str) -> Block:
    cells = columns(table)
    names = [name for name, cell in cells.items() if cell.key or draw(st.booleans())]
    rows = draw(st.lists(st.tuples(*(values(cells[name]) for name in names)), max_size=2))
    return Block(table, names, rows)


def row(table: str, number: int) -> tuple[Any, ...]:
    """A row of a table with all its columns, which differs with `number`."""
    made = {"integer": number, "flag": number % 2, "text": f"{table} {number}", "bytes": b"%x" % number}
    return tuple(
        None if cell.nullable and number % 3 else made[cell.kind] for cell in columns(table).values()
    )


def rows(stream: Stream, first: int, count: int = 2) -> Iterator[Block]:
    """A block of every table of a stream."""
    for table in [*TABLES[stream], *([ESCROW] if stream == "keyring" else [])]:
        yield Block(table, list(columns(table)), [row(table, first + n) for n in range(count)])


@dataclass(slots=True)
class Written:
    """A line of backups in a folder, and the keys to it."""

    folder: Path
    installation: str = INSTALLATION
    identity: Secret = field(default_factory=Secret.random)
    key: OpenKey = field(default_factory=lambda: OpenKey(7, Secret.random()))
    made: dict[tuple[Stream, int], Manifest] = field(default_factory=dict)
    blocks: dict[tuple[Stream, int], list[list[Block]]] = field(default_factory=dict)

    @property
    def verifiers(self) -> list[Verifier]:
        return [Verifier(signer.vkey) for signer in self.signers]

    def link(self, stream: Stream, number: int) -> Link:
        """A link to a manifest as it was written."""
        return Link(number, manifests.digest(manifests.signed(self.made[stream, number], self.signers)))

    @property
    def signers(self) -> list[manifests.Signer]:
        return [manifests.signer(self.key, self.installation)]

    def add(
        self, stream: Stream, number: int, kind: Kind, parts: Sequence[Sequence[Block]], **more: object
    ) -> Manifest:
        """Write a manifest and its chunks, one of each part; it follows the one written before in the stream."""
        before = max((n for s, n in self.made if s == stream), default=0)
        previous = self.link(stream, before) if before else None
        members: dict[str, Any] = {
            "format": FORMAT, "installation": self.installation, "stream": stream, "number": number, "kind": kind,
            "taken_at": number * HOUR, "since": -1 if kind == "full" else self.made[stream, before].until,
            "until": 10 * number, "schema": revision.head(), "software": "0.1.0",
            "keyring": 0 if stream == "keyring" else max(n for s, n in self.made if s == "keyring"),
            "recipients": {"drill": [identity.recipient(self.identity)]}, "previous": previous,
            "base": None if kind == "full" else previous,
        }  # fmt: skip
        manifest = Manifest(**{**members, "chunks": [self.chunk(stream, part) for part in parts], **more})
        self.blocks[stream, number] = [list(part) for part in parts]
        self.lay(manifest)
        return manifest

    def lay(self, manifest: Manifest) -> None:
        """Sign a manifest and write it to its place."""
        self.made[manifest.stream, manifest.number] = manifest
        path = layout.manifest(manifest.installation, manifest.stream, manifest.number)
        self.write(path, manifests.signed(manifest, self.signers).encode())

    def chunk(self, stream: Stream, part: Sequence[Block]) -> Chunk:
        """Seal a chunk, write it and say what it is."""
        counts: dict[str, int] = {}
        for block in part:
            counts[block.table] = counts.get(block.table, 0) + len(block.rows)
        return self.stored(stream, envelope.seal(blocks.encode(part), self.recipients), counts)

    @property
    def recipients(self) -> list[str]:
        return [identity.recipient(self.identity)]

    def stored(self, stream: Stream, data: bytes, counts: dict[str, int]) -> Chunk:
        """Write bytes as a chunk and say what it is."""
        made = Chunk(sha256(data).hexdigest(), len(data), counts)
        self.write(layout.chunk(self.installation, stream, made.digest), data)
        return made

    def write(self, path: str, data: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)


def small(folder: Path, installation: str = INSTALLATION) -> Written:
    """A few kilobytes: a keyring and its increment; data, an increment and a journal, which build on each other."""
    written = Written(folder, installation)
    keys, data = list(rows("keyring", 0)), list(rows("data", 0))
    written.add("keyring", 1, "full", [keys[:4], keys[4:]])
    written.add("data", 1, "full", [data[:6], data[6:12], data[12:]])
    written.add("keyring", 2, "incremental", [list(rows("keyring", 20, 1))[3:]])
    more = list(rows("data", 20, 1))
    written.add("data", 2, "incremental", [more[6:12], more[12:]])
    written.add("data", 4, "journal", [list(rows("data", 40, 1))[12:15]])
    return written
