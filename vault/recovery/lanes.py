"""What the keeper's threads do: ship the journal, make what is due, run errands, tend the targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from msgspec import to_builtins

from vault.backup.model import Kind
from vault.errors import LeaseLost
from vault.recovery import bygone, ownkeys, pruning, verifying
from vault.recovery import line as lines
from vault.recovery.errands import Errand, Errands, Progress
from vault.recovery.escrow import Escrow
from vault.recovery.fanout import Fanout
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.recovery.journaling import GRACE, Journal
from vault.recovery.line import Interrupted, Line
from vault.recovery.making import Making
from vault.recovery.steps import Steps, Wanted
from vault.recovery.targets.protocol import Target
from vault.recovery.tending import Tending
from vault.resources import Resources
from vault.store.jobs import Job

JOURNAL_PATIENCE, PATIENCE = (
    5.0,
    30.0,
)  # seconds that a target may keep a journal, or a larger backup, waiting
TOLD = 100  # findings that a job remembers one by one
FIRST_RETRY, LAST_RETRY = 15.0, 600.0  # seconds after which what failed is tried again; doubled each time


@dataclass(frozen=True, slots=True)
class _Works:
    """What the threads work with, each with connections of its own."""

    journal: Journal
    steps: Steps
    tending: Tending
    errands: Errands
    makings: tuple[Making, Making]


class Lanes:
    """One line of backups, made ready at the first use: the database says which installation it is."""

    def __init__(
        self,
        resources: Resources,
        opened: Callable[[], Sequence[Target]],
        holding: Holding,
        health: Health,
        holder: str,
        told: Callable[[], bool],
        failed: Callable[[Exception], None],
    ) -> None:
        """Args as of `Keeper`."""
        self._resources, self._holding, self._health = resources, holding, health
        self._targets = [list(opened()) for _ in range(4)]
        self._holder, self._told, self._failed = holder, told, failed
        self._opening = Lock()
        self._works: _Works | None = None
        self._next, self._wait, self.lacking = float("-inf"), FIRST_RETRY, False

    def ship(self) -> None:
        """Ship what changed."""
        self._open().journal.round()

    def step(self) -> None:
        """Make the full and incremental backups that are due; after a failure the next attempt waits."""
        steps, now = self._open().steps, self._resources.monotonic()
        if now < self._next or not (wanted := steps.due()):
            return
        try:
            steps.make(wanted)
        except (Interrupted, LeaseLost):
            raise
        except Exception:
            self._next, self._wait = now + self._wait, min(2 * self._wait, LAST_RETRY)
            raise
        self._next, self._wait = float("-inf"), FIRST_RETRY

    def errand(self) -> None:
        """Carry out a job that waits, if there is one."""
        self._open().errands.one()

    def tend(self) -> None:
        """Settle what was left running, probe the targets, and give them what they lack; `lacking` if that is more."""
        self.lacking = False
        tending = self._open().tending
        tending.settle()
        self.lacking = tending.round()

    def close(self) -> None:
        """Let go of the targets."""
        if self._works is not None:
            for making in self._works.makings:
                making.close()
        for targets in self._targets[2:]:  # the others are closed by those who bring files there
            for target in targets:
                target.close()

    def _open(self) -> _Works:
        with self._opening:
            if self._works is None:
                self._works = self._made()
            return self._works

    def _made(self) -> _Works:
        resources = self._resources
        ownkeys.keys(resources)  # before the first snapshot, which is to have them
        installation, follows = lines.of_installation(resources)
        escrow = Escrow(resources.keyring, resources.backups.recipients.recovery)
        line = Line(resources, self._holding, self._health, escrow, self._told, installation, follows)
        journal, stepping, tended, errands = self._targets
        quick = Making(line, self._fanout(journal, JOURNAL_PATIENCE, hasty=True), GRACE, hasty=True)
        slow = Making(line, self._fanout(stepping, PATIENCE), PATIENCE)
        steps = Steps(line, slow)
        kinds: dict[str, Errand] = {
            "make_backup": partial(_make, steps),
            "verify_backups": partial(_verify, resources, errands),
            "prune_backups": partial(_prune, resources, errands),
        }
        return _Works(
            Journal(line, quick), steps, Tending(line, tended, self._failed),
            Errands(line, self._holder, kinds), (quick, slow),
        )  # fmt: skip

    def _fanout(self, targets: Sequence[Target], patience: float, hasty: bool = False) -> Fanout:
        monotonic, say = self._resources.monotonic, self._health.say
        return Fanout(targets, patience, monotonic, say, self._failed, hasty)


def _make(steps: Steps, job: Job, progress: Progress) -> dict[str, Any]:
    kind: Kind = "full" if job.notes.get("kind") == "full" else "incremental"
    keyring, data = steps.make(Wanted(kind, kind), progress)
    return {"keyring": keyring, "number": data}


def _verify(resources: Resources, targets: Sequence[Target], job: Job, progress: Progress) -> dict[str, Any]:
    share, target = job.notes.get("share", verifying.SHARE), job.notes.get("target")
    found = verifying.verify(resources, targets, share, target, progress)
    told = [one for looked in found.targets for one in looked.findings][:TOLD]
    return {"outcome": found.counts(), "findings": to_builtins(told)}


def _prune(resources: Resources, targets: Sequence[Target], job: Job, progress: Progress) -> dict[str, Any]:
    apply = bool(job.notes.get("apply"))
    if job.notes.get("former"):
        left = bygone.prune(resources, targets, apply, progress)
        return {"outcome": left.counts(), "installations": left.installations}
    return {"outcome": pruning.prune(resources, targets, apply, progress).counts()}
