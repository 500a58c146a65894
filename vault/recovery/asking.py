"""What people ask of backups: made, listed, verified, thinned out; how they stand, and whose keys they are under."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from vault.backup import layout
from vault.backup.model import Origin
from vault.columns import Actor
from vault.errors import BackupsNotConfigured, InvalidRequest
from vault.permitting import Permit, permit
from vault.recovery import drills, line, ownkeys
from vault.recovery.standing import late
from vault.resources import Resources
from vault.store import catalogue, copies, jobs
from vault.store import drills as reported
from vault.store.catalogue import MADE, STEPS, Backup, Kind
from vault.store.copies import STORED, Copy, TargetState
from vault.store.drills import Drill, newest_drilled
from vault.store.jobs import Job
from vault.store.streams import Stream
from vault.store.writer import Transaction

OPERATION = "backups"
TARGET = "backups"  # one job at a time over all tenants works on them
MAX_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Held:
    """A backup, and what each target has of it."""

    backup: Backup
    copies: list[Copy]


@dataclass(frozen=True, slots=True)
class Page:
    """Backups, the newest first, and where the next page starts; None at the end."""

    backups: list[Held]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One target: how it is, and how many of the backups that are kept it lacks."""

    name: str
    state: str
    since: int | None
    behind: int


@dataclass(frozen=True, slots=True)
class Status:
    """How backups stand; times in microseconds since 1970 (UTC).

    Attributes:
        installation: 16 hex digits; "" before the first backup.
        follows: the backup that this installation was restored from; None where it was not.
        newest: the newest data backup of each kind.
        shipped: until when everything is at a quorum of targets; None where nothing is.
        enough: whether a quorum of targets holds the newest data backup, with its whole chain, and a keyring for it.
        late: whether something is older than the plan wants.
        drilled: the drill that passed whose data reach farthest.
    """

    installation: str
    follows: Origin | None
    quorum: int
    targets: list[Standing]
    newest: dict[Kind, Backup]
    shipped: int | None
    enough: bool
    late: bool
    drilled: Drill | None


@dataclass(frozen=True, slots=True)
class Keys:
    """Which keys sign manifests (C2SP signed-note), and which recipients chunks are sealed to, by what they are for."""

    signers: list[str]
    recipients: dict[str, list[str]]


class Backups:
    """The backups of the whole service; whoever asks needs the operation `backups`, which operators' keys carry."""

    def __init__(self, resources: Resources) -> None:
        self._resources, self._plan = resources, resources.backups

    def create(self, actor: Actor, kind: Literal["full", "incremental"]) -> Job:
        """Have a backup made, with the keyring that it needs; the job ends when enough targets hold it.

        Raises:
            BackupsNotConfigured: the settings name no target.
            JobRunning: another job is at work on the backups.
        """
        return self._start(permit(self._resources, actor, OPERATION), "make_backup", {"kind": kind})

    def verify(self, actor: Actor, share: float, target: str | None = None) -> Job:
        """Have every copy held against its manifest, and mended where it is not what it was.

        Args:
            share: of the stored bytes, 0 to 1, how many are read back; the rest is looked at by name and size.
            target: the name of the only one that is looked at; None for all.
        """
        if not 0 <= share <= 1:
            raise InvalidRequest("read_data must be 0 to 1", "/read_data")
        given = permit(self._resources, actor, OPERATION)
        if target is not None and target not in self._plan.targets:
            raise InvalidRequest("the settings name no such target", "/target")
        return self._start(given, "verify_backups", {"share": share, "target": target})

    def prune(self, actor: Actor, apply: bool, former: bool = False) -> Job:
        """Have the backups told that the plan does not keep, and removed if `apply`.

        Args:
            former: all of those instead that the installations left which this one was restored from.
        """
        given = permit(self._resources, actor, OPERATION)
        return self._start(given, "prune_backups", {"apply": apply, "former": former})

    def page(
        self,
        actor: Actor,
        stream: Stream = "data",
        *,
        journals: bool = False,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Return up to `limit` (1 to 1,000) backups of a stream that were made, the newest first.

        Args:
            journals: those too that were shipped every few seconds.
            cursor: of the page before.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidRequest("limit must be 1 to 1,000", "/limit")
        before = _before(cursor)
        permit(self._resources, actor, OPERATION)
        with self._resources.database.read() as connection:
            found = [
                one
                for one in reversed(catalogue.backups(connection, stream, (MADE,)))
                if (journals or one.kind in STEPS) and (before is None or one.number < before)
            ]
            shown = found[:limit]
            held = [Held(one, copies.copies(connection, stream, one.number)) for one in shown]
        return Page(held, str(shown[-1].number) if len(found) > limit else None)

    def status(self, actor: Actor) -> Status:
        """Return how backups stand."""
        permit(self._resources, actor, OPERATION)
        database = self._resources.database
        with database.read() as connection:
            known = catalogue.known_installation(connection)
            kept = catalogue.backups(connection, states=(MADE,))
            there = copies.copies(connection)
            states = {one.name: one for one in copies.targets(connection)}
            drilled = newest_drilled(connection)
            shipped = copies.shipped(connection)
        newest = {one.kind: one for one in kept if one.stream == "data"}
        number, follows = known or (None, None)
        return Status(
            "" if number is None else layout.installation(number), line.origin_of(follows), self._plan.quorum,
            self._standings(kept, there, states), newest, shipped,
            self._enough(kept, there), self._late(newest, shipped, database.now()), drilled,
        )  # fmt: skip

    def keys(self, actor: Actor) -> Keys:
        """Return the public keys of backups: those that sign, and those that chunks are sealed to."""
        permit(self._resources, actor, OPERATION)
        self._require()
        recipients = self._plan.recipients
        installation = layout.installation(self._resources.database.write(_installation))
        return Keys(
            [one.vkey for one in ownkeys.signers(self._resources, installation)],
            {
                "recovery": [*recipients.recovery],
                "drill": [*recipients.drill],
                "root": [ownkeys.recipient(self._resources)],
            },
        )

    def rotate_keys(self, actor: Actor) -> Keys:
        """Give the keysets that sign and open backups a new primary; what is at the targets goes on to be good.

        It needs the operation `roots`, too. Raises KeysetChanged if somebody else did so at the same time.
        """
        self._require()
        ownkeys.rotate(self._resources, actor)
        return self.keys(actor)

    def take_report(self, actor: Actor, note: str) -> Drill:
        """Keep the signed report of a drill; see `recovery.drills.take_report`."""
        return drills.take_report(self._resources, actor, note)

    def drills(self, actor: Actor, limit: int = 100) -> list[Drill]:
        """Return the newest drills (1 to 1,000), the newest first."""
        return drills.drills(self._resources, actor, limit)

    def drill(self, actor: Actor, drill_id: str) -> Drill:
        """Return one drill with its signed report; UnknownDrill if there is none of that id."""
        permit(self._resources, actor, OPERATION)
        with self._resources.database.read() as connection:
            return reported.get(connection, drill_id)

    def _start(self, given: Permit, kind: str, notes: dict[str, Any]) -> Job:
        self._require()
        resources, actor = self._resources, given.actor
        keys = resources.keyring.keys(actor.tenant)

        def work(transaction: Transaction) -> Job:
            started = jobs.add(
                transaction, actor.tenant, kind, TARGET, notes, actor.name, actor.request_id, everywhere=True
            )
            row = given.row(keys, transaction.now, operation=f"start_{kind}", count=1, target=TARGET)
            transaction.append("audit_record", [row])
            return started

        return resources.database.write(work, deadline=actor.deadline)

    def _require(self) -> None:
        if not self._plan.targets:
            raise BackupsNotConfigured("the settings name no target of backups")

    def _standings(
        self, kept: list[Backup], there: list[Copy], states: dict[str, TargetState]
    ) -> list[Standing]:
        made = {(one.stream, one.number) for one in kept}
        held = Counter(
            one.target for one in there if one.state == STORED and (one.stream, one.number) in made
        )
        return [
            Standing(
                name, states[name].state if name in states else "unknown",
                states[name].since if name in states else None, len(made) - held[name],
            )
            for name in self._plan.targets
        ]  # fmt: skip

    def _enough(self, kept: list[Backup], there: list[Copy]) -> bool:
        """Whether a quorum of targets holds all that a restore of the newest data backup needs."""
        good = {(one.target, one.stream, one.number) for one in there if one.state == STORED}
        needed = _chain(kept, "data") + _chain(kept, "keyring")
        if {one.stream for one in needed} != {"data", "keyring"}:
            return False
        whole = [
            name
            for name in self._plan.targets
            if all((name, one.stream, one.number) in good for one in needed)
        ]
        return len(whole) >= self._plan.quorum

    def _late(self, newest: dict[Kind, Backup], shipped: int | None, now: int) -> bool:
        """Whether the journal, or the last full backup, is older than twice what the plan says."""
        full = newest.get("full")
        if full is None or shipped is None:
            return True
        return now - full.taken_at > 2e6 * self._plan.full or late(self._plan, shipped, now)


def _chain(kept: list[Backup], stream: Stream) -> list[Backup]:
    """Return the newest backup of a stream and what it builds on; empty if there is none."""
    mine = {one.number: one for one in kept if one.stream == stream}
    found, number = [], max(mine, default=None)
    while number is not None and number in mine:
        found.append(mine[number])
        number = mine[number].base
    return found if number is None else []


def _installation(transaction: Transaction) -> int:
    return catalogue.installation_of(transaction)[0]


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 10):
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    return int(cursor)
