"""What requests and replies on backups and drills hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.schema.asks import Ask, Limit, PageQuery

StreamName = Annotated[Literal["data", "keyring"], Meta(description="Values and all else, or the keys.")]


class Making(Ask, kw_only=True):
    """Which kind: all of it, or what changed since the newest."""

    kind: Literal["full", "incremental"] = "full"


class Verifying(Ask, kw_only=True):
    """How much is read back, and where."""

    read_data: Annotated[float, Meta(ge=0, le=1, description="Share of the stored bytes, 0 to 1.")] = 0.05
    target: Annotated[str, Meta(max_length=512, description="The only one looked at.")] | None = None


class Pruning(Ask, kw_only=True):
    """Whether it is meant: without, what would go is told alone."""

    apply: bool = False
    former: Annotated[
        bool, Meta(description="Those of the installations that this one was restored from.")
    ] = False


class Reporting(Ask, kw_only=True):
    """The signed report of a drill, as a note (C2SP signed-note)."""

    report: Annotated[str, Meta(min_length=1, max_length=65_536)]


class BackupQuery(PageQuery, kw_only=True):
    """Which backups."""

    stream: StreamName = "data"
    journals: Annotated[bool, Meta(description="Those too that were shipped between two backups.")] = False


class DrillQuery(Ask, kw_only=True):
    """How many drills."""

    limit: Limit = 100


class BackupCopy(Struct, kw_only=True):
    """A backup at one target; `problem` is the stable code of what is wrong with it."""

    target: str
    state: str
    stored_at: datetime
    verified_at: datetime | None
    problem: str | None


class Backup(Struct, kw_only=True):
    """A backup that enough targets hold: `taken_at` is of the state that it has, `size` its bytes."""

    stream: StreamName
    number: int
    kind: Literal["full", "incremental", "journal"]
    base: int | None
    taken_at: datetime
    finished_at: datetime | None
    rows: int
    size: int
    digest: str | None
    drilled_at: datetime | None
    forfeited_at: datetime | None
    copies: list[BackupCopy]


class Backups(Struct):
    """Backups, the newest first; `next_cursor` null on the last page."""

    backups: list[Backup]
    next_cursor: str | None


class BackupTarget(Struct, kw_only=True):
    """A server that backups go to: "ok" or the stable code of what is wrong, and how many backups it lacks."""

    name: str
    state: str
    since: datetime | None
    behind: int


class Drill(Struct, kw_only=True):
    """A drill that was reported; `taken_at` is until when the restored data reached, `seconds` what it took."""

    id: str
    target: str
    number: int
    passed: bool
    begun_at: datetime
    taken_at: datetime | None
    seconds: int


class DrillReport(Struct, kw_only=True):
    """A drill with its signed report."""

    drill: Drill
    report: str


class Drills(Struct):
    """Drills, the newest first."""

    drills: list[Drill]


class NewestBackups(Struct, kw_only=True):
    """When the state was that the newest backup of each kind has; null where there is none."""

    full: datetime | None
    incremental: datetime | None
    journal: datetime | None


class FormerBackup(Struct, kw_only=True):
    """The backup that a database was restored from: its number in the stream of data, and whose it is."""

    installation: str
    number: int


class BackupStatus(Struct, kw_only=True):
    """How backups stand.

    `shipped_until`: everything written before is at a quorum of targets. `enough`: a quorum holds all that a restore of
    the newest backup needs. `late`: something is twice as old as planned. `drilled`: the drill that passed and reaches
    farthest. `follows`: the backup that all of this was restored from; null where there was none.
    """

    installation: str
    follows: FormerBackup | None
    quorum: int
    targets: list[BackupTarget]
    newest: NewestBackups
    shipped_until: datetime | None
    enough: bool
    late: bool
    drilled: Drill | None


class BackupKeys(Struct, kw_only=True):
    """Verifier keys of manifests (C2SP signed-note), the newest first; age recipients by what they are for."""

    signers: list[str]
    recipients: dict[str, list[str]]
