"""A maker of backups for drills: honest, or one that harms what it copies and signs it all the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from keys import identity
from keys.secret import Secret
from tests.vault.recovery.folders import Folder
from vault.audit.notes import Verifier
from vault.backup import blocks, envelope, layout, manifests
from vault.backup.blocks import Digester
from vault.backup.model import FORMAT, Chunk, Link, Manifest
from vault.recovery import ownkeys
from vault.recovery.archive import Archive
from vault.recovery.escrow import Escrow
from vault.resources import Resources
from vault.store import catalogue
from vault.store.snapshots import Snapshot, prepare
from vault.store.streams import ESCROW, STREAMS, TABLES, Block, Stream

Harm = Callable[[Block], Iterable[Block]]
Tell = Callable[[Manifest], Manifest]
Row = dict[str, Any]


@dataclass(slots=True)
class Maker:
    """Full backups of a database in a folder, sealed to a drill host's identity."""

    resources: Resources
    folder: Path
    drill: Secret
    recovery: Secret
    trust: list[Verifier] | None = None

    @property
    def archive(self) -> Archive:
        """The backups, as who trusts their maker reads them."""
        trust = self.trust or ownkeys.verifiers(self.resources, self._installation())
        return Archive(Folder(self.folder), trust)

    def make(
        self,
        number: int = 1,
        harm: Harm = lambda block: [block],
        tell: Tell = lambda made: made,
        keyring: int = 0,
    ) -> None:
        """Make both streams' full backup of that number.

        Args:
            harm: what becomes of a block before it is counted, digested and sealed.
            tell: what becomes of a manifest before it is signed.
            keyring: the number of the keyring that the data say they need; by default that of the same backup.
        """
        ownkeys.keys(self.resources)
        prepare(self.resources.database)
        with Snapshot(self.resources.database) as snapshot:
            for stream in STREAMS:
                self._write(tell(self._manifest(snapshot, stream, number, harm, keyring or number)))

    def _manifest(
        self, snapshot: Snapshot, stream: Stream, number: int, harm: Harm, keyring: int
    ) -> Manifest:
        name, key = self._installation(), ownkeys.digest_key(self.resources)
        digesters: dict[str, Digester] = defaultdict(lambda: Digester(manifests.digest_key(key)))
        found: list[Block] = []
        for block in self._blocks(snapshot, stream):
            for harmed in harm(block):
                digesters[harmed.table].add(harmed.rows)
                found.append(harmed)
        counts = Counter[str](dict.fromkeys(TABLES[stream], 0))
        for block in found:
            counts[block.table] += len(block.rows)
            digesters[block.table]
        recipients = {
            "drill": [identity.recipient(self.drill)],
            "recovery": [identity.recipient(self.recovery)],
        }
        return Manifest(
            format=FORMAT, installation=name, stream=stream, number=number, kind="full",
            taken_at=snapshot.taken_at, since=-1, until=snapshot.until, schema=snapshot.schema, software="1",
            keyring=0 if stream == "keyring" else keyring, recipients=recipients,
            chunks=[self._chunk(stream, found, [one for known in recipients.values() for one in known])],
            counts={**counts}, digests={table: one.hex() for table, one in digesters.items() if table != ESCROW},
            digest_key=f"{key.id:016x}", keys=snapshot.keys() if stream == "data" else {},
            checkpoints=snapshot.checkpoints() if stream == "data" else [],
            previous=self._previous(stream, number),
            roots=ownkeys.roots(self.resources) if stream == "keyring" else [],
        )  # fmt: skip

    def _blocks(self, snapshot: Snapshot, stream: Stream) -> Iterable[Block]:
        yield from snapshot.blocks(stream, -1, {})
        if stream == "keyring":
            escrow = Escrow(self.resources.keyring, [identity.recipient(self.recovery)])
            with self.resources.database.read() as connection:
                tenants = connection.exec_driver_sql("SELECT id, generation FROM tenant").all()
            yield escrow.block({row[0]: row[1] for row in tenants})[0]

    def _previous(self, stream: Stream, number: int) -> Link | None:
        if number == 1:
            return None
        note = (self.folder / layout.manifest(self._installation(), stream, number - 1)).read_text()
        return Link(number - 1, manifests.digest(note))

    def _chunk(self, stream: Stream, found: list[Block], recipients: list[str]) -> Chunk:
        stored = envelope.seal(blocks.encode(found), recipients)
        rows = Counter[str]()
        for block in found:
            rows[block.table] += len(block.rows)
        made = Chunk(sha256(stored).hexdigest(), len(stored), {**rows})
        self._put(layout.chunk(self._installation(), stream, made.digest), stored)
        return made

    def _write(self, made: Manifest) -> None:
        note = manifests.signed(made, ownkeys.signers(self.resources, made.installation))
        self._put(layout.manifest(made.installation, made.stream, made.number), note.encode())

    def _put(self, path: str, data: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)

    def _installation(self) -> str:
        number, _ = self.resources.database.write(catalogue.installation_of)
        return layout.installation(number)


def edited(table: str, edit: Callable[[Row], Row | None]) -> Harm:
    """Return what lets `edit` change each row of a table, by column, or leave it out."""

    def harm(block: Block) -> list[Block]:
        if block.table != table:
            return [block]
        rows = [edit(dict(zip(block.columns, row, strict=True))) for row in block.rows]
        kept = [tuple(row[name] for name in block.columns) for row in rows if row is not None]
        return [Block(table, block.columns, kept)]

    return harm
