"""What the installations left at the targets that this one was restored from: told, or removed.

Nobody else prunes it, and its keyrings hold the keys of persons who are erased from now on. Keyrings go first. Data of
an installation go after those of all that it follows, since its manifest alone says which these are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vault.backup import layout
from vault.errors import LastCopy, TargetFailed
from vault.recovery import ancestors, line, sweeping
from vault.recovery.pruning import require_copies
from vault.recovery.sweeping import Swept
from vault.recovery.targets.protocol import File, Target
from vault.resources import Resources
from vault.store import catalogue
from vault.store.catalogue import MADE
from vault.store.streams import STREAMS, Stream

Progress = Callable[[int, int], None]
_Files = list[
    tuple[str, File]
]  # manifests, each after those that build on it, then chunks: what it is, and the file


@dataclass(frozen=True, slots=True)
class Bygone:
    """What goes of former installations, or went, at each target.

    Attributes:
        applied: whether it went; else it only would.
        installations: whose, the newest first, 16 hex digits each.
    """

    applied: bool
    installations: list[str]
    targets: list[Swept]

    def counts(self) -> dict[str, int]:
        """Return what goes, or went, in numbers: installations, and files and bytes over all targets."""
        return {"installations": len(self.installations), **sweeping.summed(self.targets)}


def prune(resources: Resources, targets: Sequence[Target], apply: bool, progress: Progress) -> Bygone:
    """Remove keyrings and backups of all installations that this one follows, or say what would go.

    Files of old audit records stay. Another installation's files are never touched, whoever made it.

    Args:
        apply: False changes nothing anywhere.
        progress: hears how many files went, of how many, after each. It may raise, which ends it; the next run goes on.
    Raises:
        LastCopy: fewer targets than the quorum hold a full backup of this installation, and all since; nothing goes.
        FormerInUse: one of them still makes backups; nothing goes.
    """
    installation, origin = line.of_installation(resources)
    names = ancestors.followed(targets, origin, installation)
    found = Bygone(apply, names, [Swept(target.name) for target in targets])
    if not names:
        return found
    since = _require_held(resources, targets)
    works = [_Work(target, swept) for target, swept in zip(targets, found.targets, strict=True)]
    places: list[tuple[Stream, str]] = [("keyring", name) for name in names]
    places += [("data", name) for name in reversed(names)]
    for work in works:
        work.look(places, since)
    if apply:
        _remove(works, places, progress)
    else:
        for work in works:
            work.tell()
    return found


def _require_held(resources: Resources, targets: Sequence[Target]) -> int:
    """Return when this installation began, if enough targets hold all that a restore needs; else raise LastCopy."""
    with resources.database.read() as connection:
        made = catalogue.backups(connection, states=[MADE])
        since = catalogue.installed_at(connection)
    for stream in STREAMS:
        mine = [one for one in made if one.stream == stream]
        if not mine:
            raise LastCopy(f"no backup of the stream {stream} was made since the restore: nothing goes")
        require_copies(resources, targets, mine)
    return since


def _remove(works: Sequence[_Work], places: Sequence[tuple[Stream, str]], progress: Progress) -> None:
    done, total = 0, sum(len(files) for work in works for files in work.files.values())

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    for place in places:
        for work in works:
            work.sweep(place, step)
        if place[0] == "data" and any(work.swept.locked or work.swept.problem for work in works):
            return


class _Work:
    """One target's share: the files of each stream of each former installation that are there."""

    def __init__(self, target: Target, swept: Swept) -> None:
        self.target, self.swept = target, swept
        self.files: dict[tuple[Stream, str], _Files] = {}

    def look(self, places: Sequence[tuple[Stream, str]], since: int) -> None:
        """Note what is there; nothing where the target fails, which is noted. FormerInUse."""
        try:
            for name in dict.fromkeys(name for _, name in places):
                ancestors.require_idle(self.target, name, since)
            self.files = {place: self._listed(*place) for place in places}
        except TargetFailed as failure:
            self.swept.problem = failure.problem

    def _listed(self, stream: Stream, name: str) -> _Files:
        manifests = list(self.target.files(layout.manifests(name, stream)))
        known = [file for file in manifests if layout.parsed(file.path) is not None]
        newest_first = sorted(known, key=lambda file: file.path, reverse=True)
        chunks = self.target.files(layout.chunks(name, stream))
        return [*(("manifests", file) for file in newest_first), *(("chunks", file) for file in chunks)]

    def tell(self) -> None:
        """Count all of it."""
        for files in self.files.values():
            for kind, file in files:
                self.swept.add(kind, file)

    def sweep(self, place: tuple[Stream, str], step: Callable[[], None]) -> None:
        """Delete files in their order, up to one that the server keeps: what it needs stays with it."""
        if self.swept.problem is not None:
            return
        try:
            for kind, file in self.files[place]:
                if not sweeping.delete(self.target, file):
                    self.swept.locked += 1
                    return
                self.swept.add(kind, file)
                step()
        except TargetFailed as failure:
            self.swept.problem = failure.problem
