"""The reading side of backups: what a target holds, verified before anything is given."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from keys.secret import Secret
from vault.audit.notes import Verifier
from vault.backup import layout
from vault.backup.model import Manifest
from vault.recovery import checking, choosing, chunks
from vault.recovery.checking import Problem
from vault.recovery.choosing import Choice, Wish
from vault.recovery.shelf import Shelf
from vault.recovery.targets.protocol import File, Target
from vault.store.streams import STREAMS, Block, Stream


class Archive:
    """The backups at one target, as far as keys that are trusted signed them. Its target's failures travel up."""

    def __init__(self, target: Target, verifiers: Sequence[Verifier]) -> None:
        self.target, self._verifiers = target, verifiers

    def installations(self) -> list[str]:
        """Return the installations that have a manifest there, verified or not; every file there is listed for it."""
        places = (layout.parsed(file.path) for file in self.target.files(""))
        return sorted({place[0] for place in places if place})

    def numbers(self, installation: str, stream: Stream) -> list[int]:
        """Return the numbers of a stream's manifests, verified or not, in their order."""
        return self._shelf(installation).numbers(stream)

    def manifest(self, installation: str, stream: Stream, number: int) -> tuple[Manifest, str]:
        """Return a manifest and its whole note.

        Raises:
            UnknownBackup: it is not there.
            BackupDamaged, BackupUntrusted: it is not what a key that is trusted signed for this place.
            BackupFromNewer: its format is not known.
        """
        return self._shelf(installation).read(stream, number)

    def choose(
        self,
        installation: str,
        number: int | None = None,
        at: int | None = None,
        *,
        at_least: Mapping[Stream, int] | None = None,
        lenient: bool = False,
    ) -> Choice:
        """Return what a restore loads: as `choosing.Wish` and `choosing.choose` have it."""
        return choosing.choose(self._shelf(installation), Wish(number, at, at_least, lenient))

    def check(
        self, manifest: Manifest, share: float = 1.0, listed: Mapping[str, int] | None = None
    ) -> Iterator[Problem | None]:
        """Give what is wrong with each chunk of a manifest in its order, None if nothing; no key is needed.

        Args:
            share: of the chunks that are read whole; the others' sizes are held against the target's list.
            listed: `sizes` of the stream, where many manifests are checked.
        """
        if listed is None:
            listed = self.sizes(manifest.installation, manifest.stream)
        return checking.checked(self.target, manifest, share, listed)

    def sizes(self, installation: str, stream: Stream) -> dict[str, int]:
        """Return the sizes of a stream's chunks by path, in bytes, as the target lists them."""
        return checking.sizes(self.target, installation, stream)

    def blocks(self, manifest: Manifest, identities: Sequence[Secret]) -> Generator[list[Block], None, None]:
        """Give the rows of a manifest, a list for each chunk, verified and in the order of loading.

        Columns are those that the database had then: a later one's are not in it. Until the iterator ends or is
        closed, the target is its own. Identities are of 32 bytes each.

        Raises:
            BackupDamaged: a chunk is not what the manifest says; nothing of it was given.
            BackupLocked: none of the identities opens it.
            BackupFromNewer: a later version made it.
        """
        choosing.require_known_schema(manifest)
        return chunks.opened(self.target, manifest, identities)

    def strays(self, installation: str) -> list[File]:
        """Return files of both streams that no manifest names, such as those of a backup that is being made.

        Raises as `manifest`: while one cannot be read, nobody knows what is a stray.
        """
        prefixes = [f"{installation}/{stream}/" for stream in STREAMS]
        # listed first: what is finished meanwhile has its manifest read
        there = [file for prefix in prefixes for file in self.target.files(prefix)]
        shelf, named = self._shelf(installation), set()
        for stream in STREAMS:
            for number in shelf.numbers(stream):
                manifest, _ = shelf.read(stream, number)
                named.add(shelf.path(stream, number))
                named.update(chunks.path(manifest, place) for place in range(len(manifest.chunks)))
        return [file for file in there if file.path not in named]

    def _shelf(self, installation: str) -> Shelf:
        return Shelf(self.target, layout.checked(installation), self._verifiers)
