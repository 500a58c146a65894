"""Targets that lack backups catch up: files are copied from targets that have them, and no key is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vault.backup import layout, manifests
from vault.backup.model import Manifest
from vault.errors import TargetFailed, UnknownBackup
from vault.recovery import mending, retention
from vault.recovery.holding import LEASE
from vault.recovery.mending import NO_GOOD_COPY, Sources
from vault.recovery.targets.protocol import Target
from vault.resources import Resources
from vault.store import catalogue, copies, leases
from vault.store.catalogue import MADE, RUNNING, Backup
from vault.store.copies import COPYING, DAMAGED, OK, STORED
from vault.store.streams import STREAMS, Stream
from vault.store.writer import Transaction

AMOUNT = 64 * 1_024 * 1_024  # bytes that one call copies or reads back, and a chunk more at most
SECONDS = 2.0  # after which a call begins no other chunk: the journal is waiting


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
class _Lack:
    stream: Stream
    number: int
    target: str
    checked: int


def catch_up(
    resources: Resources,
    targets: Sequence[Target],
    told: Callable[[], bool],
    fence: int,
    *,
    amount: int = AMOUNT,
    seconds: float = SECONDS,
) -> Caught:
    """Copy to each target what it lacks of the backups that are kept, keyrings first, the oldest first; a bit a call.

    A target takes part, to give or to take, while its state is ok. Every file is held against its digest on the way,
    and read back. A manifest is put when all of its chunks are there, and what it builds on.

    Args:
        told: whether the process was told to end.
        fence: of the lease `holding.LEASE`.
        amount, seconds: after so many bytes, or so much time, the rest is left to the next call.
    Raises:
        LeaseLost: another process makes the backups now.
    """
    with resources.database.read() as connection:
        states = {one.name: one.state for one in copies.targets(connection)}
        well = [target for target in targets if states.get(target.name, OK) == OK]
        lacks = {target.name: copies.lacking(connection, target.name) for target in well}
        if not any(lacks.values()):
            return Caught()
        known = catalogue.backups(connection, states=["made", "running"])
        found = catalogue.known_installation(connection)
        holders = copies.holders(connection, [target.name for target in targets])
    stay = kept(resources, known)
    backups = {
        (one.stream, one.number): one for one in known if one.state == MADE and one.number in stay[one.stream]
    }
    wanted = [_Lack(one[0], one[1], name, one[2]) for name, theirs in lacks.items() for one in theirs]
    wanted = [lack for lack in wanted if (lack.stream, lack.number) in backups]
    wanted.sort(key=lambda lack: (STREAMS.index(lack.stream), lack.number))
    limits = _Limits(told, amount, resources.monotonic() + seconds)
    run = _Run(resources, well, limits, fence, layout.installation(found[0] if found else 0), holders)
    return run.all(wanted, backups)


def kept(resources: Resources, rows: Sequence[Backup]) -> Mapping[Stream, set[int]]:
    """Return the numbers that stay, by stream, of the backups that were made; `rows` are these and those under way."""
    plan, now = resources.backups, resources.database.now()
    made: dict[Stream, list[Backup]] = {stream: [] for stream in STREAMS}
    needed: dict[Stream, set[int]] = {stream: set() for stream in STREAMS}
    for one in rows:
        if one.state == MADE:
            made[one.stream].append(one)
        elif one.state == RUNNING and one.base is not None:
            needed[one.stream].add(one.base)
    return {
        "keyring": retention.keyrings(made["keyring"], plan.keyrings, needed["keyring"]),
        "data": retention.kept(made["data"], plan.keep, now, needed["data"]),
    }


@dataclass(frozen=True, slots=True)
class _Limits:
    """When a call has done enough."""

    told: Callable[[], bool]
    amount: int
    until: float


class _Run:
    """One call of `catch_up`."""

    def __init__(
        self,
        resources: Resources,
        targets: Sequence[Target],
        limits: _Limits,
        fence: int,
        installation: str,
        holders: Mapping[tuple[Stream, int], set[str]],
    ) -> None:
        self._resources, self._limits, self._fence = resources, limits, fence
        self._installation, self._holders = installation, holders
        self._targets = {target.name: target for target in targets}
        self._sources = Sources(targets)
        self._caught = Caught(failed=self._sources.failed)

    def all(self, lacks: Sequence[_Lack], backups: Mapping[tuple[Stream, int], Backup]) -> Caught:
        """Copy what is lacking until enough was done."""
        left = {(lack.stream, lack.number, lack.target) for lack in lacks}
        for lack in lacks:
            if self._enough():
                break
            one = backups[lack.stream, lack.number]
            if (lack.stream, one.base, lack.target) in left or not self._can(lack):
                continue
            try:
                if self._copy(lack, one):
                    left.discard((lack.stream, lack.number, lack.target))
            except TargetFailed as failure:
                self._caught.failed[lack.target] = failure.problem
        self._caught.waiting = len(left)
        return self._caught

    def _can(self, lack: _Lack) -> bool:
        """Whether the target is well, and another one that has the backup."""
        well = self._targets.keys() - self._caught.failed.keys()
        return lack.target in well and bool(self._holders.get((lack.stream, lack.number), set()) & well)

    def _copy(self, lack: _Lack, backup: Backup) -> bool:
        """Copy the rest of a backup, or a part of it; return whether the target has all of it now."""
        try:
            with self._resources.database.read() as connection:
                note = catalogue.note(connection, lack.stream, lack.number)
        except UnknownBackup:  # removed meanwhile
            return False
        manifest = manifests.unverified(note)
        done = self._chunks(lack, manifest)
        if done < len(manifest.chunks):
            return False
        target = self._targets[lack.target]
        wanted = mending.manifest(self._installation, lack.stream, lack.number, backup.digest or "")
        why = mending.mend(target, wanted, self._sources, note.encode())
        self._mark(lack, STORED if why is None else DAMAGED, why, verified=why is None)
        self._caught.backups += why is None
        return why is None

    def _chunks(self, lack: _Lack, manifest: Manifest) -> int:
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
        self._caught.size += manifest.chunks[place].size
        if mending.read_back(target, wanted) is None:
            return None
        return mending.mend(target, wanted, self._sources)

    def _enough(self) -> bool:
        limits, size = self._limits, self._caught.size
        return limits.told() or size >= limits.amount or self._resources.monotonic() >= limits.until

    def _mark(
        self,
        lack: _Lack,
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
