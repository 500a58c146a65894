"""Backups copied from targets that have them to targets that lack them, as many as one call may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vault.backup.model import Manifest
from vault.errors import TargetFailed, UnknownBackup
from vault.recovery import mending
from vault.recovery.holding import LEASE
from vault.recovery.mending import NO_GOOD_COPY, Sources
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies, leases
from vault.store.catalogue import Backup
from vault.store.copies import COPYING, DAMAGED, STORED
from vault.store.streams import Stream
from vault.store.writer import Transaction


@dataclass(slots=True)
class Caught:
    """What one call of `catch_up` did.

    Attributes:
        backups: how many it completed at a target; `size`: bytes that it copied or read back.
        waiting: how many are still lacking, each target's counted by itself.
        failed: the codes of targets that failed, by name: they wait until they are well again.
    """

    backups: int = 0
    size: int = 0
    waiting: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lack:
    """A backup that a target lacks, and how many of its chunks the target was given so far."""

    stream: Stream
    number: int
    target: str
    checked: int


@dataclass(frozen=True, slots=True)
class Limits:
    """When a call has done enough."""

    told: Callable[[], bool]
    amount: int
    until: float


class Copying:
    """One call of `replicating.catch_up`."""

    def __init__(
        self,
        resources: Resources,
        targets: Sequence[Target],
        limits: Limits,
        fence: int,
        installation: str,
        holders: Mapping[tuple[Stream, int], set[str]],
    ) -> None:
        self._resources, self._limits, self._fence = resources, limits, fence
        self._installation, self._holders = installation, holders
        self._targets = {target.name: target for target in targets}
        self._sources = Sources(targets)
        self._caught = Caught(failed=self._sources.failed)

    def all(self, lacks: Sequence[Lack], backups: Mapping[tuple[Stream, int], Backup]) -> Caught:
        """Copy what is lacking until enough was done."""
        for lack in lacks:
            if self._enough():
                break
            one = backups[lack.stream, lack.number]
            if not self._can(lack, one):
                continue
            try:
                if self._copy(lack, one):
                    self._holders[lack.stream, lack.number].add(lack.target)
            except TargetFailed as failure:
                self._caught.failed[lack.target] = failure.problem
        self._caught.waiting = len(lacks) - self._caught.backups
        return self._caught

    def _can(self, lack: Lack, one: Backup) -> bool:
        """Whether the target is well and holds what the backup builds on, and a target is well that has the backup."""
        well = self._targets.keys() - self._caught.failed.keys()
        if one.base is not None and lack.target not in self._holders.get((lack.stream, one.base), ()):
            return False
        return lack.target in well and bool(self._holders.get((lack.stream, lack.number), set()) & well)

    def _copy(self, lack: Lack, backup: Backup) -> bool:
        """Copy the rest of a backup, or a part of it; return whether the target has all of it now."""
        try:
            with self._resources.database.read() as connection:
                note = catalogue.note(connection, lack.stream, lack.number)
        except UnknownBackup:  # removed meanwhile
            return False
        wanted = mending.manifest(self._installation, lack.stream, lack.number, backup.digest or "")
        manifest = mending.noted(note, wanted.path)
        done = self._chunks(lack, manifest)
        if done < len(manifest.chunks):
            return False
        target = self._targets[lack.target]
        why = mending.mend(target, wanted, self._sources, note.encode())
        self._mark(lack, STORED if why is None else DAMAGED, why, verified=why is None)
        self._caught.backups += why is None
        return why is None

    def _chunks(self, lack: Lack, manifest: Manifest) -> int:
        """Bring chunks to the target until enough was done; return how many are good there."""
        target, turns = self._targets[lack.target], mending.order(manifest, lack.target)
        for done, place in enumerate(turns[lack.checked :], lack.checked):
            if self._enough():
                self._mark(lack, COPYING, None, checked=done)
                return done
            try:
                why = self._chunk(target, manifest, place)
            except TargetFailed:
                self._mark(lack, COPYING, None, checked=done)
                raise
            if why is not None:
                # Who holds it but is away may have it good: then this is tried again. Else it waits to be verified.
                well = self._targets.keys() - self._caught.failed.keys()
                lost = why != NO_GOOD_COPY or self._holders[lack.stream, lack.number] <= well
                self._mark(lack, DAMAGED if lost else COPYING, why if lost else None, checked=done)
                return done
        return len(turns)

    def _chunk(self, target: Target, manifest: Manifest, place: int) -> str | None:
        wanted = mending.chunk(manifest, place)
        why = None
        if mending.read_back(target, wanted) is not None:
            why = mending.mend(target, wanted, self._sources)
        self._caught.size += manifest.chunks[place].size if why is None else 0
        return why

    def _enough(self) -> bool:
        limits, size = self._limits, self._caught.size
        return limits.told() or size >= limits.amount or self._resources.monotonic() >= limits.until

    def _mark(
        self,
        lack: Lack,
        state: str,
        problem: str | None,
        *,
        verified: bool = False,
        checked: int | None = None,
    ) -> None:
        """Note how far the copy is, unless the backup was removed meanwhile."""

        def work(transaction: Transaction) -> None:
            leases.require_fence(transaction, LEASE, self._fence)
            if catalogue.is_made(transaction.connection, lack.stream, lack.number):
                copies.mark_copy(
                    transaction, lack.stream, lack.number, lack.target, state, problem,
                    verified=verified, checked=checked,
                )  # fmt: skip

        self._resources.database.write(work)
