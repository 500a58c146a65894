"""One stream at one target swept: what is not kept any more is found, and then deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from vault.backup import layout, manifests
from vault.backup.model import Manifest
from vault.errors import TargetFailed, UnknownBackup
from vault.recovery import strays
from vault.recovery.targets.protocol import File, MissingFile, Target
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import MADE, Backup
from vault.store.copies import REMOVED
from vault.store.streams import Stream
from vault.store.writer import Transaction

AT_ONCE = 1_000  # rows that one transaction changes
LOCKED = "target_locked"


@dataclass(slots=True)
class Swept:
    """What goes, or went, from one target.

    Attributes:
        manifests, chunks: files of backups that are not kept; `strays`: chunks that nothing names.
        size: bytes of all of these.
        locked: manifests and strays that stay because the server keeps them for longer, or something that builds on
            them; the chunks of such a manifest stay with it.
        problem: the code of why it was not done to the end; None if it was.
    """

    target: str
    manifests: int = 0
    chunks: int = 0
    strays: int = 0
    size: int = 0
    locked: int = 0
    problem: str | None = None

    def add(self, kind: str, file: File) -> None:
        """Count a file as one of `manifests`, `chunks` or `strays`."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.size += file.size


def summed(targets: Iterable[Swept]) -> dict[str, int]:
    """Return the counts over all targets, and how many of these were not swept to the end."""
    swept = list(targets)
    names = ("manifests", "chunks", "strays", "size", "locked")
    told = {name: sum(getattr(one, name) for one in swept) for name in names}
    return {**told, "unreachable": sum(one.problem is not None for one in swept)}


@dataclass(slots=True)
class Going:
    """What goes of one stream at one target.

    Attributes:
        manifests: their files by number, rising, and what each names.
        chunks: files by digest; `strays`: those that none of these manifests names.
        bases: what each manifest at the target builds on, also those that stay.
        over: the numbers of which the target is to hold nothing, whether it did or not.
    """

    stream: Stream
    manifests: dict[int, tuple[File, set[str]]] = field(default_factory=dict)
    chunks: dict[str, File] = field(default_factory=dict)
    strays: dict[str, File] = field(default_factory=dict)
    bases: dict[int, int | None] = field(default_factory=dict)
    over: list[int] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files that is."""
        return len(self.manifests) + len(self.chunks) + len(self.strays)

    def tell(self, swept: Swept) -> None:
        """Count all of it."""
        for file, _ in self.manifests.values():
            swept.add("manifests", file)
        for kind in ("chunks", "strays"):
            for file in getattr(self, kind).values():
                swept.add(kind, file)


def plan(
    resources: Resources, target: Target, installation: str, stream: Stream, doomed: Collection[int]
) -> Going:
    """Return what goes; TargetFailed as the target does.

    Args:
        doomed: numbers of backups made that are not kept.
    """
    files = list(target.files(layout.manifests(installation, stream)))
    there = {found[2]: file for file in files if (found := layout.parsed(file.path)) is not None}
    chunks = {
        file.path.rpartition("/")[2]: file for file in target.files(layout.chunks(installation, stream))
    }
    # Read after the target was listed: so what it lists of a backup that was made has its name here.
    with resources.database.read() as connection:
        rows = {one.number: one for one in catalogue.backups(connection, stream)}
    going, kept = Going(stream), set[str]()
    sure = strays.is_settled(rows.values(), resources.database.now())
    going.over = [number for number, row in rows.items() if row.state == REMOVED or number in doomed]
    for number in sorted(rows.keys() | there.keys()):
        goes = number in doomed or strays.fate(rows.get(number)) == "gone"
        if number not in there and (goes or rows[number].state != MADE):
            continue
        manifest = _manifest(resources, rows.get(number), there.get(number), target)
        names = {chunk.digest for chunk in manifest.chunks} if manifest else set()
        going.bases[number] = manifest.base.number if manifest and manifest.base else None
        if goes:
            going.manifests[number] = (there[number], names)
        else:
            # One that cannot be read, and does not go, may name any chunk.
            kept, sure = kept | names, sure and manifest is not None
    named = set[str]().union(*(names for _, names in going.manifests.values())) - kept
    going.chunks = {digest: file for digest, file in chunks.items() if digest in named}
    going.strays = {digest: file for digest, file in chunks.items() if sure and digest not in named | kept}
    return going


def carry_out(
    resources: Resources, target: Target, going: Going, swept: Swept, progress: Callable[[], None]
) -> None:
    """Delete it, manifests first, each after those that build on it; then write down what the target no longer has.

    Args:
        swept: counts what went.
        progress: called after each file.
    Raises:
        TargetFailed: as the target does; what is left goes with the next run.
    """
    needed = {base for number, base in going.bases.items() if number not in going.manifests}
    names = set[str]()
    for number in sorted(going.manifests, reverse=True):
        file, named = going.manifests[number]
        if number in needed or not delete(target, file):
            swept.locked += 1
            needed |= {number, going.bases[number]}
            names |= named
        else:
            swept.add("manifests", file)
        progress()
    for kind in ("chunks", "strays"):
        for digest, file in getattr(going, kind).items():
            if digest not in names:
                if delete(target, file):
                    swept.add(kind, file)
                else:
                    swept.locked += 1
            progress()
    _write_down(
        resources, target.name, going.stream, [number for number in going.over if number not in needed]
    )


def _manifest(resources: Resources, row: Backup | None, file: File | None, target: Target) -> Manifest | None:
    """Return a manifest as the catalogue has it, or else the target; None if it cannot be read."""
    try:
        if row is not None and row.state == MADE:
            with resources.database.read() as connection:
                return manifests.unverified(catalogue.note(connection, row.stream, row.number))
        if file is not None:
            return manifests.unverified(target.get(file.path).decode())
    except (UnknownBackup, MissingFile, ValueError):
        pass
    return None


def delete(target: Target, file: File) -> bool:
    """Delete a file; return whether the server let it go. TargetFailed for any other reason."""
    try:
        target.delete(file.path)
    except TargetFailed as failure:
        if failure.problem != LOCKED:
            raise
        return False
    return True


def _write_down(resources: Resources, target: str, stream: Stream, numbers: list[int]) -> None:
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at : at + AT_ONCE]

        def work(transaction: Transaction, some: list[int] = some) -> None:
            copies.drop_copies(transaction, stream, some, target)

        resources.database.write(work)
