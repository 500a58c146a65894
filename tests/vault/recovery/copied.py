"""Backups of random bytes at several folders, with a clock that tests turn and servers that fail when told to."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from keys.keyring import Keyring
from keys.providers import memory
from vault.audit.notes import Signer
from vault.backup import layout, manifests
from vault.backup.model import FORMAT, Chunk, Link, Manifest
from vault.backup.plan import Keep, Plan
from vault.errors import TargetFailed
from vault.recovery.holding import LEASE
from vault.recovery.targets.directory import Directory
from vault.recovery.targets.patience import Deadline, Patience
from vault.recovery.targets.protocol import File
from vault.resources import Resources
from vault.store import catalogue, copies, leases, migrate
from vault.store.catalogue import Backup, Kind
from vault.store.copies import OK, Copy
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.streams import Stream
from vault.store.writer import Transaction

HOUR = 3_600.0  # seconds
DAY = 24 * HOUR


@dataclass
class Folder:
    """A folder as a target, behind a server that may be away, or keep files.

    Attributes:
        away: the code that every call fails with.
        keeps: which paths it does not let go.
        deleted, read: the paths that were.
        before: called before each file is deleted.
    """

    root: Path
    away: str | None = None
    keeps: Callable[[str], bool] = lambda _: False
    deleted: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self._target = Directory(self.root)
        self._ever = Deadline(lambda: 0.0, Patience())

    @property
    def name(self) -> str:
        return self._target.name

    def put(self, path: str, data: bytes) -> None:
        self._answer()
        self._target.put(path, data, self._ever)

    def get(self, path: str) -> bytes:
        self._answer()
        self.read.append(path)
        return self._target.get(path, self._ever)

    def files(self, prefix: str) -> Iterator[File]:
        self._answer()
        return iter(self._target.files(prefix, self._ever))

    def delete(self, path: str) -> None:
        self._answer()
        self.before(path)
        if self.keeps(path):
            raise TargetFailed("target_locked", "the server keeps the file")
        self.deleted.append(path)
        self._target.delete(path, self._ever)

    def probe(self) -> None:
        self._answer()
        self._target.probe(self._ever)

    def close(self) -> None:
        self._target.close()

    def _answer(self) -> None:
        if self.away is not None:
            raise TargetFailed(self.away, "it does not answer")

    def lay(self, path: str, data: bytes) -> None:
        """Let a file be there, without the care that `put` takes."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def paths(self) -> list[str]:
        found = (str(file.relative_to(self.root)) for file in self.root.rglob("*") if file.is_file())
        return sorted(path for path in found if not path.startswith("."))

    def damage(self, path: str) -> None:
        """Turn a bit in the middle over."""
        data = bytearray((self.root / path).read_bytes())
        data[len(data) // 2] ^= 1
        (self.root / path).write_bytes(data)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()


@dataclass
class Line:
    """An installation with backups, and the targets that they go to."""

    resources: Resources
    targets: list[Folder]
    shift: list[float]
    random: random.Random
    fence: int
    installation: str

    @property
    def database(self) -> Database:
        return self.resources.database

    def later(self, seconds: float) -> None:
        self.shift[0] += seconds

    def keep(self, keep: Keep, keyrings: int = 2) -> None:
        plan = replace(self.resources.backups, keep=keep, keyrings=keyrings)
        self.resources = replace(self.resources, backups=plan)

    def begin(self, kind: Kind, stream: Stream = "data") -> int:
        """Enter a backup; return its number."""
        return self.database.write(lambda transaction: self._begin(transaction, kind, stream)[0])

    def _begin(
        self, transaction: Transaction, kind: Kind, stream: Stream
    ) -> tuple[int, Backup | None, Backup | None]:
        """Return its number, what it builds on, and the one before it."""
        firm = catalogue.newest(transaction.connection, stream, catalogue.STEPS)
        before = catalogue.newest(transaction.connection, stream)
        base = None if kind == "full" else before if kind == "journal" else firm
        until = (before.until if before else 0) + 1
        number = catalogue.begin(
            transaction, stream, kind, base and base.number, until, self.database.now(), self.fence
        )
        return number, base, before

    def fail(self, kind: Kind, on: list[Folder]) -> str:
        """Let a backup fail after its first chunk; return the path of that."""
        number = self.begin(kind)
        path, data, _ = self._chunk("data")
        for target in on:
            target.lay(path, data)
        self.failed(number)
        return path

    def failed(self, number: int) -> None:
        self.database.write(
            lambda transaction: catalogue.failed(transaction, "data", number, self.fence, "target_full")
        )

    def make(
        self, kind: Kind, stream: Stream = "data", *, on: list[Folder] | None = None, chunks: int = 2
    ) -> int:
        """Make a backup at those targets that answer, or at some of them; return its number."""
        return self.database.write(lambda transaction: self.made(transaction, kind, stream, on, chunks))

    def made(
        self, transaction: Transaction, kind: Kind, stream: Stream, on: list[Folder] | None, chunks: int
    ) -> int:
        """Do what `make` does, in a transaction."""
        number, base, before = self._begin(transaction, kind, stream)
        self._finish(transaction, kind, stream, number, base, before, on, chunks)
        return number

    def finish(self, number: int, on: list[Folder]) -> None:
        """Make a full backup of data that was begun before."""
        self.database.write(
            lambda transaction: self._finish(transaction, "full", "data", number, None, None, on, 2)
        )

    def _finish(
        self, transaction: Transaction, kind: Kind, stream: Stream, number: int,
        base: Backup | None, before: Backup | None, on: list[Folder] | None, chunks: int,
    ) -> None:  # fmt: skip
        made = [self._chunk(stream) for _ in range(chunks)]
        manifest = Manifest(
            format=FORMAT, installation=self.installation, stream=stream, number=number, kind=kind,
            taken_at=self.database.now(), since=base.until if base else -1, until=number, schema="0005", software="0",
            keyring=1 if stream == "data" else 0, recipients={}, chunks=[chunk for _, _, chunk in made],
            base=self._link(base), previous=self._link(before),
        )  # fmt: skip
        note = manifests.signed(manifest, [Signer(manifests.key_name(self.installation), bytes(32))])
        well = [one for one in (self.targets if on is None else on) if one.away is None]
        for target in well:
            for path, data, _ in made:
                target.lay(path, data)
            target.lay(layout.manifest(self.installation, stream, number), note.encode())
        size, names = sum(chunk.size for _, _, chunk in made), [target.name for target in well]
        catalogue.made(transaction, stream, number, self.fence, note, manifests.digest(note), 1, size, names)

    def _chunk(self, stream: Stream) -> tuple[str, bytes, Chunk]:
        data = self.random.randbytes(200)
        digest = sha256(data).hexdigest()
        table = "token" if stream == "data" else "subject"
        return layout.chunk(self.installation, stream, digest), data, Chunk(digest, len(data), {table: 1})

    def _link(self, one: Backup | None) -> Link | None:
        return None if one is None else Link(one.number, one.digest or "")

    def manifest(self, number: int, stream: Stream = "data") -> Manifest:
        with self.database.read() as connection:
            return manifests.unverified(catalogue.note(connection, stream, number))

    def chunk(self, number: int, place: int, stream: Stream = "data") -> str:
        """Return a chunk's path."""
        return layout.chunk(self.installation, stream, self.manifest(number, stream).chunks[place].digest)

    def note(self, number: int, stream: Stream = "data") -> str:
        """Return a manifest's path."""
        return layout.manifest(self.installation, stream, number)

    def copy(self, number: int, target: Folder, stream: Stream = "data") -> Copy | None:
        with self.database.read() as connection:
            found = copies.copies(connection, stream, number)
        return next((one for one in found if one.target == target.name), None)

    def state(self, number: int, stream: Stream = "data") -> str:
        with self.database.read() as connection:
            return catalogue.get(connection, stream, number).state

    def numbers(self, target: Folder, stream: Stream = "data") -> list[int]:
        """Return the numbers of the manifests at a target."""
        parsed = [layout.parsed(path) for path in target.paths()]
        return [one[2] for one in parsed if one is not None and one[1] == stream]

    def tell(self, target: Folder, state: str = OK) -> None:
        self.database.write(lambda transaction: copies.tell_target(transaction, target.name, state))

    def alarms(self) -> list[str]:
        with self.database.read() as connection:
            return list(connection.exec_driver_sql("SELECT kind FROM alarm ORDER BY at").scalars())


def open_line(url: str, folder: Path, names: str = "abc", quorum: int = 2) -> Line:
    """Make the schema, if it is not there, and empty targets."""
    shift = [1_767_225_600.0 + 12 * HOUR]  # noon of 2026-01-01
    database = Database(url, lambda: shift[0], time.monotonic)
    migrate.upgrade(database)
    root = memory.create()
    keyring = Keyring(Keysets(database), {root.name: root}, root.name, time.monotonic)
    targets = [Folder(folder / name) for name in names]
    plan = Plan(targets=tuple(target.name for target in targets), quorum=quorum, keep=Keep(2, 0, 0, 0))
    fence = leases.acquire(database, LEASE, "test", 600)
    assert fence is not None
    installation = layout.installation(database.write(catalogue.installation_of)[0])
    resources = Resources(database, keyring, time.monotonic, backups=plan)
    return Line(resources, targets, shift, random.Random(1), fence, installation)
