"""One target looked at: what is wrong with its files is found, and mended from a good copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil

from vault.backup import layout
from vault.backup.model import Manifest
from vault.errors import TargetFailed, UnknownBackup
from vault.recovery import mending, strays
from vault.recovery.findings import Finding, Looked
from vault.recovery.mending import Sources, Wanted, Wrong
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies
from vault.store.catalogue import MADE, Backup
from vault.store.copies import DAMAGED, STORED, Copy
from vault.store.streams import STREAMS, Stream
from vault.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue says of a target."""

    installation: str
    rows: list[Backup]
    held: Mapping[tuple[Stream, int], Copy]

    def copy(self, one: Backup) -> Copy | None:
        """Return the copy that should be whole; None where there is none, or it is still being made."""
        found = self.held.get((one.stream, one.number))
        return found if one.state == MADE and found and found.state in (STORED, DAMAGED) else None


def known(resources: Resources, target: str) -> Known:
    """Read what the catalogue says of a target."""
    with resources.database.read() as connection:
        found = catalogue.known_installation(connection)
        mine = [one for one in copies.copies(connection) if one.target == target]
        rows = catalogue.backups(connection)
    held = {(one.stream, one.number): one for one in mine}
    return Known(layout.installation(found[0] if found else 0), rows, held)


@dataclass(slots=True)
class _SoFar:
    """How many of a backup's chunks were read back, in their turns, and why something of it is not good now.

    `seen` once all of it was looked at.
    """

    checked: int
    why: str | None = None
    seen: bool = False


class Look:
    """One target, and what was found there.

    Attributes:
        looked: what was found so far.
        budget: how many bytes are to be read back.
    """

    def __init__(self, resources: Resources, target: Target, share: float, sources: Sources) -> None:
        self._resources, self._target, self._sources = resources, target, sources
        self._known = known(resources, target.name)
        self._listed: dict[str, int] = {}
        self._named: set[str] = set()
        self._refused: str | None = None  # why the target takes no file
        self._progress: Callable[[int], None] = lambda _: None
        size = sum(one.size for one in self._known.rows if self._known.copy(one))
        self.looked, self.budget = Looked(target.name, size=size), ceil(share * size)

    def run(self, progress: Callable[[int], None]) -> Looked:
        """Look at all of it; `progress` hears how many bytes were read back."""
        self._progress = progress
        try:
            self._list()
            # What it held before it was listed must be in the list; what is in the list may have been made meanwhile.
            self._known = replace(self._known, rows=known(self._resources, self._target.name).rows)
            self._replayed()
            for one in sorted((one for one in self._known.rows if one.state == MADE), key=self._turn):
                self._backup(one)
                progress(self.looked.read)
            self._unknown()
        except TargetFailed as failure:
            self.looked.problem = failure.problem
        self.looked.problem = self.looked.problem or self._refused
        return self.looked

    def _list(self) -> None:
        for stream in STREAMS:
            for prefix in (layout.manifests, layout.chunks):
                files = self._target.files(prefix(self._known.installation, stream))
                self._listed.update((file.path, file.size) for file in files)

    def _turn(self, one: Backup) -> tuple[bool, bool, int, int]:
        """Which is looked at first: a damaged copy, the one under way, the one not read back for longest."""
        copy = self._known.copy(one)
        if copy is None:
            return (True, True, 0, one.number)
        return (copy.state != DAMAGED, copy.checked is None, copy.verified_at or 0, one.number)

    def _replayed(self) -> None:
        """Find out whether the target shows an older state than one that it had."""
        for stream in STREAMS:
            parsed = [layout.parsed(path) for path in self._listed]
            shown = max((one[2] for one in parsed if one is not None and one[1] == stream), default=0)
            had = max(
                (one.number for one in self._known.rows if one.stream == stream and self._known.copy(one)),
                default=0,
            )
            if 0 < shown < had:
                path = layout.manifest(self._known.installation, stream, had)
                self.looked.add(Finding(self._target.name, stream, had, path, None, "replayed"))

    def _backup(self, one: Backup) -> None:
        """Look at one backup's files, and write down how its copy is."""
        try:
            with self._resources.database.read() as connection:
                note = catalogue.note(connection, one.stream, one.number)
        except UnknownBackup:  # removed meanwhile
            return
        manifest = mending.noted(note, layout.manifest(self._known.installation, one.stream, one.number))
        itself = mending.manifest(self._known.installation, one.stream, one.number, one.digest or "")
        files = [mending.chunk(manifest, place) for place in range(len(manifest.chunks))]
        self._named |= {itself.path, *(file.path for file in files)}
        copy = self._known.copy(one)
        if copy is None:
            return
        self.looked.backups += 1
        so_far = _SoFar(copy.checked or 0)
        try:
            so_far.why = self._manifest(one, itself, note.encode())
            self._chunks(one, manifest, files, so_far)
            so_far.seen = True
        finally:  # also where it ends here: the next time goes on
            self._note(one, copy, so_far, len(files))

    def _manifest(self, one: Backup, wanted: Wanted, note: bytes) -> str | None:
        """Hold the manifest against its digest; return why it is not good now."""
        wrong: Wrong | None = "missing"
        if wanted.path in self._listed:
            wrong = mending.read_back(self._target, wanted)
        return None if wrong is None else self._mend(one, wanted, None, wrong, note)

    def _chunks(self, one: Backup, manifest: Manifest, files: list[Wanted], so_far: _SoFar) -> None:
        """Look at all chunks, and read back as many as are to be."""
        for turn, place in enumerate(mending.order(manifest, self._target.name)):
            wrong = self._listing(files[place], manifest.chunks[place].size)
            read = wrong is None and turn == so_far.checked and self.looked.read < self.budget
            if read:
                wrong = mending.read_back(self._target, files[place])
                self.looked.read += manifest.chunks[place].size
            if wrong is not None:
                so_far.why = self._mend(one, files[place], place, wrong) or so_far.why
            if (read or wrong is not None) and turn == so_far.checked:
                so_far.checked += 1
            if read:
                self._progress(self.looked.read)

    def _listing(self, wanted: Wanted, size: int) -> Wrong | None:
        found = self._listed.get(wanted.path)
        return None if found == size else "missing" if found is None else "size"

    def _mend(
        self, one: Backup, wanted: Wanted, chunk: int | None, wrong: Wrong, data: bytes | None = None
    ) -> str | None:
        """Put a file right, unless the target takes none; return why it is not good now."""
        if not self._is_kept(one):
            return None
        why = self._refused
        if why is None:
            try:
                why = mending.mend(self._target, wanted, self._sources, data)
            except TargetFailed as failure:
                why = self._refused = failure.problem
        found = Finding(
            self._target.name, one.stream, one.number, wanted.path, chunk, wrong, why is None, why
        )
        self.looked.add(found)
        return why

    def _is_kept(self, one: Backup) -> bool:
        """Whether the backup was not removed meanwhile."""
        with self._resources.database.read() as connection:
            return catalogue.is_made(connection, one.stream, one.number)

    def _note(self, one: Backup, copy: Copy, so_far: _SoFar, whole: int) -> None:
        """Write down how the copy is, if that is other than it was."""
        verified = so_far.seen and so_far.why is None and so_far.checked == whole
        state, problem = (STORED, None) if verified else (copy.state, copy.problem)
        checked = None if verified else so_far.checked or None
        if so_far.why is not None:
            state, problem, checked = DAMAGED, so_far.why, None
        # What was damaged and is mended is good once all of it was read back.
        if not verified and (state, problem, checked) == (copy.state, copy.problem, copy.checked):
            return

        def work(transaction: Transaction) -> None:
            if catalogue.is_made(transaction.connection, one.stream, one.number):
                copies.mark_copy(
                    transaction, one.stream, one.number, self._target.name, state, problem,
                    verified=verified, checked=checked,
                )  # fmt: skip

        self._resources.database.write(work)

    def _unknown(self) -> None:
        """Name the files that nothing accounts for."""
        left = sorted(self._listed.keys() - self._named)
        now, installation = self._resources.database.now(), self._known.installation
        for stream, number, path in strays.unknown(left, self._known.rows, installation, now):
            self.looked.add(Finding(self._target.name, stream, number, path, None, "unknown"))
