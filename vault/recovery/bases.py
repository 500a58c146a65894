"""What the next backup of a stream builds on.

Numbers rise with the states that backups are of: whoever takes a snapshot enters its backups before the next one is
taken. So the newest number is the newest state. A full or incremental backup that takes minutes does not hold up the
journals, which meanwhile build on what was made before it. Once it is made,

- the next incremental one builds on it: on the newest full or incremental one;
- so does the next journal, with all that changed since; those that follow build on the newest of all, as long as that
  leads back to the newest full or incremental one.

So none builds on a newer state than its own, and a restore reads one full backup, the incremental ones since, and the
journals since the last of those.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from vault.backup import layout, manifests
from vault.backup.model import Kind, Link, Manifest
from vault.errors import UnknownBackup
from vault.recovery import ownkeys
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import STEPS, Backup
from vault.store.streams import Stream

KEPT = 8  # manifests in memory


@dataclass(frozen=True, slots=True)
class Base:
    """A backup to build on.

    Attributes:
        chain: it, and all that it builds on itself, the full one first.
        holders: the targets that hold the whole chain.
    """

    manifest: Manifest
    link: Link
    chain: tuple[int, ...]
    holders: frozenset[str]

    @property
    def number(self) -> int:
        """Its number."""
        return self.link.number


class Bases:
    """Finds what to build on; for one thread at a time."""

    def __init__(self, resources: Resources, installation: str) -> None:
        self._resources, self._installation = resources, installation
        self._manifests: dict[tuple[Stream, int], Manifest] = {}

    def find(self, stream: Stream, kind: Kind) -> Base | None:
        """Return what a backup of that kind builds on; None for a full one, or where there is nothing to build on.

        A chain of which a link was removed, or that no target holds whole, is nothing to build on.
        """
        if kind == "full":
            return None
        with self._resources.database.read() as connection:
            step = catalogue.newest(connection, stream, STEPS)
            newest = catalogue.newest(connection, stream) if kind == "journal" else step
            for one in filter(None, (newest, step)):
                with suppress(UnknownBackup):
                    chain = tuple(link.number for link in catalogue.chain(connection, stream, one.number))
                    holders = copies.holding(connection, stream, chain)
                    if step is not None and step.number in chain and holders:
                        return Base(self._manifest(one), _link(one), chain, frozenset(holders))
        return None

    def _manifest(self, one: Backup) -> Manifest:
        place = (one.stream, one.number)
        if place not in self._manifests:
            with self._resources.database.read() as connection:
                note = catalogue.note(connection, *place)
            trusted = ownkeys.verifiers(self._resources, self._installation)
            path = layout.manifest(self._installation, *place)
            found = manifests.read(note.encode(), path, trusted)
            kept = list(self._manifests.items())[-KEPT:]
            self._manifests = {**dict(kept), place: found}
        return self._manifests[place]


def previous(resources: Resources, stream: Stream, number: int) -> Link | None:
    """Return the last backup made before the one of this number."""
    with resources.database.read() as connection:
        found = catalogue.newest(connection, stream, before=number)
    return None if found is None else _link(found)


def _link(one: Backup) -> Link:
    return Link(one.number, one.digest or "")
