"""One installation's manifests at one target, each read and verified once."""

from __future__ import annotations

from collections.abc import Sequence

from vault.audit.notes import Verifier
from vault.backup import layout, manifests
from vault.backup.model import Link, Manifest
from vault.errors import BackupDamaged, BackupReplayed, UnknownBackup
from vault.recovery.targets.protocol import MissingFile, Target
from vault.store.streams import Stream


class Shelf:
    """What is there of an installation; a target's failures travel up as they are."""

    def __init__(self, target: Target, installation: str, verifiers: Sequence[Verifier]) -> None:
        self.installation = installation
        self._target, self._verifiers = target, verifiers
        self._known: dict[str, tuple[Manifest, str]] = {}

    def path(self, stream: Stream, number: int) -> str:
        """Return where a manifest lies."""
        return layout.manifest(self.installation, stream, number)

    def numbers(self, stream: Stream) -> list[int]:
        """Return the numbers of the manifests that are there, verified or not, in their order."""
        files = self._target.files(layout.manifests(self.installation, stream))
        return sorted(place[2] for file in files if (place := layout.parsed(file.path)))

    def read(self, stream: Stream, number: int) -> tuple[Manifest, str]:
        """Return a manifest and its whole note; UnknownBackup, BackupDamaged and its kinds, BackupFromNewer."""
        try:
            note = self._target.get(self.path(stream, number))
        except MissingFile:
            raise UnknownBackup(f"there is no {stream} backup of number {number}") from None
        return manifests.read(note, self.path(stream, number), self._verifiers), note.decode()

    def known(self, stream: Stream, number: int) -> tuple[Manifest, str]:
        """Return a manifest and its note's digest, as `read`, from memory where it was read before."""
        path = self.path(stream, number)
        if path not in self._known:
            manifest, note = self.read(stream, number)
            self._known[path] = manifest, manifests.digest(note)
        return self._known[path]

    def linked(self, stream: Stream, link: Link) -> Manifest:
        """Return the manifest of a link; UnknownBackup, BackupReplayed if another one lies there, and as `read`."""
        manifest, digest = self.known(stream, link.number)
        if digest != link.digest:
            raise BackupReplayed(
                "it is not the manifest that a later one names", self.path(stream, link.number)
            )
        return manifest

    def chain(self, stream: Stream, number: int) -> list[Manifest]:
        """Return a manifest and all that it builds on, the full one first.

        Raises:
            UnknownBackup: there is no such manifest.
            BackupDamaged: one that it builds on is not there, or rows are missing between two.
            BackupReplayed: another one lies in the place of one that it builds on, or of the one before.
        """
        manifest = self.known(stream, number)[0]
        found = [manifest]
        while manifest.base is not None:
            base = self._base(manifest, manifest.base)
            self._require_previous(manifest)
            found.append(manifest := base)
        self._require_previous(manifest)
        return found[::-1]

    def _base(self, manifest: Manifest, link: Link) -> Manifest:
        path = self.path(manifest.stream, link.number)
        try:
            base = self.linked(manifest.stream, link)
        except UnknownBackup:
            raise BackupDamaged("a manifest that later ones build on is not there", path) from None
        if manifest.since > base.until:
            raise BackupDamaged("what changed between it and the one that builds on it is in neither", path)
        return base

    def _require_previous(self, manifest: Manifest) -> None:
        """Return unless another one lies in the place of the one made before.

        That may have been removed since; and where it is damaged, that is no reason not to load what does not need it.
        """
        if manifest.previous is None or manifest.previous == manifest.base:
            return
        try:
            self.linked(manifest.stream, manifest.previous)
        except BackupReplayed:
            raise
        except (UnknownBackup, BackupDamaged):
            return
