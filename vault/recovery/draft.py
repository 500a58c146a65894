"""A backup that is being made: what it is, where it can be of use, and its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

from vault.backup import layout, manifests
from vault.backup.model import FORMAT, Chunk, Kind, Manifest
from vault.recovery import bases, ownkeys
from vault.recovery.bases import Base
from vault.recovery.chunking import Sealed
from vault.recovery.contents import Contents
from vault.recovery.line import Line
from vault.store.snapshots import Snapshot
from vault.store.streams import Stream


@dataclass(slots=True)
class Draft:
    """A backup that is being made, and has its number.

    Attributes:
        keyring: for data: the number of the keyring that it needs; else 0.
        holders: the targets where it can be of use, since they hold what it builds on; None for all.
        sealed: its chunks, which are made while one takes them; `chunks` are those that went out.
    """

    stream: Stream
    kind: Kind
    number: int
    fence: int
    base: Base | None
    holders: frozenset[str] | None
    snapshot: Snapshot
    contents: Contents
    recipients: dict[str, list[str]]
    sealed: Iterator[Sealed]
    keyring: int = 0
    chunks: list[Chunk] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows went out."""
        return sum(sum(one.rows.values()) for one in self.chunks)

    @property
    def size(self) -> int:
        """How many bytes went out."""
        return sum(one.size for one in self.chunks)

    def paths(self, installation: str) -> list[str]:
        """Return where its files lie, the manifest first."""
        chunks = [layout.chunk(installation, self.stream, one.digest) for one in self.chunks]
        return [layout.manifest(installation, self.stream, self.number), *chunks]


def counted(names: Iterable[str], holders: frozenset[str] | None) -> frozenset[str]:
    """Return those of the targets where a backup can be of use."""
    return frozenset(names) if holders is None else holders.intersection(names)


def signed(line: Line, draft: Draft) -> str:
    """Return the signed manifest of a backup of which all chunks went out."""
    found, snapshot, base = draft.contents, draft.snapshot, draft.base
    told, data = draft.kind != "journal", draft.stream == "data"
    manifest = Manifest(
        format=FORMAT, installation=line.installation, stream=draft.stream, number=draft.number, kind=draft.kind,
        base=None if base is None else base.link,
        previous=bases.previous(line.resources, draft.stream, draft.number), follows=line.follows,
        taken_at=snapshot.taken_at, since=-1 if base is None else base.manifest.until, until=snapshot.until,
        schema=snapshot.schema, software=version("strongroom"), keyring=draft.keyring,
        counts=found.counts() if told else {}, digests=found.digests, digest_key=found.digest_key,
        keys=snapshot.keys() if told and data else {}, checkpoints=snapshot.checkpoints() if data else [],
        recipients=draft.recipients, roots=[] if data else ownkeys.roots(line.resources), chunks=draft.chunks,
    )  # fmt: skip
    return manifests.signed(manifest, ownkeys.signers(line.resources, line.installation))
