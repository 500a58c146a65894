"""Backups of the whole service, and the drills that prove them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from strongroom_client.jobs import Job
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode


class BackupCopy(Struct, frozen=True, kw_only=True):
    """A backup at one target: stored, damaged or removed; `problem` is the stable code of what is wrong with it."""

    target: str
    state: str
    stored_at: datetime
    verified_at: datetime | None = None
    problem: str | None = None


class Backup(Struct, frozen=True, kw_only=True):
    """A backup that enough targets hold; times in UTC.

    Attributes:
        stream: data or keyring; `number`: in it.
        kind: full, incremental or journal.
        base: the number that it builds on; None for a full one.
        taken_at: of the state that it has.
        rows, size: in it; bytes.
        drilled_at: when a drill last restored it; `forfeited_at`: when a key that it needs was given up.
    """

    stream: str
    number: int
    kind: str
    taken_at: datetime
    rows: int
    size: int
    base: int | None = None
    finished_at: datetime | None = None
    digest: str | None = None
    drilled_at: datetime | None = None
    forfeited_at: datetime | None = None
    copies: list[BackupCopy] = []


class BackupTarget(Struct, frozen=True, kw_only=True):
    """A server that backups go to: "ok" or the stable code of what is wrong; `behind`: backups that it lacks."""

    name: str
    state: str
    since: datetime | None = None
    behind: int = 0


class Drill(Struct, frozen=True, kw_only=True):
    """A drill that was reported: until when the restored data reached, and the seconds that the restore took."""

    id: str
    target: str
    number: int
    passed: bool
    begun_at: datetime
    taken_at: datetime | None = None
    seconds: int = 0


class NewestBackups(Struct, frozen=True, kw_only=True):
    """When the state was that the newest backup of each kind has; None where there is none."""

    full: datetime | None = None
    incremental: datetime | None = None
    journal: datetime | None = None


class FormerBackup(Struct, frozen=True, kw_only=True):
    """The backup that a database was restored from: its number in the stream of data, and whose it is."""

    installation: str
    number: int


class BackupStatus(Struct, frozen=True, kw_only=True):
    """How backups stand.

    Attributes:
        shipped_until: everything written before is at a quorum of targets.
        enough: a quorum holds all that a restore of the newest backup needs.
        late: something is twice as old as planned.
        drilled: the drill that passed and reaches farthest.
        follows: the backup that all of this was restored from.
    """

    installation: str
    quorum: int
    targets: list[BackupTarget]
    newest: NewestBackups
    enough: bool
    late: bool
    shipped_until: datetime | None = None
    drilled: Drill | None = None
    follows: FormerBackup | None = None


class BackupKeys(Struct, frozen=True, kw_only=True):
    """Verifier keys of manifests (C2SP signed-note), the newest first; age recipients by what they are for."""

    signers: list[str]
    recipients: dict[str, list[str]]


class _Page(Struct):
    backups: list[Backup]
    next_cursor: str | None = None


class _Drills(Struct):
    drills: list[Drill]


class _Report(Struct):
    report: str


class Backups(Session):
    """The calls on backups; they need an API key that carries the operation backups, as operators' do."""

    def create_backup(self, kind: Literal["full", "incremental"] = "full") -> Job:
        """Start a job that makes a backup; it is done when enough targets hold it."""
        return self._begin("/v1/backups", {"kind": kind})

    def verify_backups(self, *, read_data: float = 0.05, target: str | None = None) -> Job:
        """Start a job that holds every copy against its manifest, and mends it from a good one.

        Args:
            read_data: share of the stored bytes that is read back, 0 to 1.
            target: the only one that is looked at.
        """
        return self._begin("/v1/backups/verify", {"read_data": read_data, "target": target})

    def prune_backups(self, *, apply: bool = False, former: bool = False) -> Job:
        """Start a job that tells which backups are not kept, and removes them if `apply`.

        Args:
            former: all that the installations left which this one was restored from, instead.
        """
        return self._begin("/v1/backups/prune", {"apply": apply, "former": former})

    def backups(
        self, stream: Literal["data", "keyring"] = "data", *, journals: bool = False, page: int = 100
    ) -> Iterator[Backup]:
        """Yield the backups of a stream that enough targets hold, the newest first."""
        asked = {"stream": stream, "journals": "true" if journals else None, "limit": page}
        for found in self._pages("/v1/backups", _Page, asked):
            yield from found.backups

    def backup_status(self) -> BackupStatus:
        """Return how backups stand."""
        return self._call("GET", "/v1/backups/status", BackupStatus)

    def backup_keys(self) -> BackupKeys:
        """Return the keys that sign manifests, and those that chunks are sealed to."""
        return self._call("GET", "/v1/backups/keys", BackupKeys)

    def rotate_backup_keys(self) -> BackupKeys:
        """Give the keys that sign and open backups new versions; it needs the operation roots, too."""
        return self._call("POST", "/v1/backups/keys/rotate", BackupKeys, repeat=Repeat.UNSENT)

    def drills(self, limit: int = 100) -> list[Drill]:
        """Return the newest drills, the newest first."""
        return self._call("GET", f"/v1/drills?limit={limit:d}", _Drills).drills

    def drill_report(self, drill_id: str) -> str:
        """Return the signed report of a drill; raise NotFound (code unknown_drill)."""
        return self._call("GET", f"/v1/drills/{quote(drill_id, safe='').replace('.', '%2E')}", _Report).report

    def report_drill(self, report: str) -> Drill:
        """Hand in the signed report of a drill; the same one again changes nothing."""
        return self._call("POST", "/v1/drills", Drill, body=encode({"report": report}))

    def _begin(self, path: str, ask: dict[str, object]) -> Job:
        return self._call("POST", path, Job, body=encode(ask), repeat=Repeat.UNSENT)
