"""`strongroom backup`: backups made, listed, verified, thinned out; how they stand; their keys; drills."""

from __future__ import annotations

import re
import sys
from itertools import islice
from typing import TYPE_CHECKING, Literal

import click

from api.cli.connection import online
from api.cli.failure import UNREACHABLE
from api.cli.following import begun, detach, followed
from api.cli.screen import Screen
from api.cli.stdin import confirm

if TYPE_CHECKING:
    from strongroom_client import Backup, BackupKeys, BackupStatus, Client, Drill, Job

FEW, LATE = 7, 8  # exit codes beside those of all commands

TITLES = ("number", "kind", "base", "taken", "rows", "size", "stored on", "verified", "drilled", "forfeited")
DRILLS = ("id", "target", "backup", "passed", "begun", "data until", "seconds")


class Share(click.ParamType[float]):
    """A percentage, `5%`."""

    name = "percent"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share, 0 to 1."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%?", str(value))
        if found is None or float(found[1]) > 100:
            self.fail("say a percentage, such as 5%", param, ctx)
        return float(found[1]) / 100


@click.group(short_help="Make, list, verify and thin out backups.")
def backup() -> None:
    """Make, list and verify backups of the whole service, and see how they stand.

    They go to the servers of STRONGROOM_BACKUP_TARGETS. `strongroom restore` brings one back, `strongroom drill`
    proves that it would.
    """


@backup.command()
@online
@click.option("--full/--incremental", default=True, help="All of it, or what changed since the newest.")
@detach
def create(screen: Screen, client: Client, /, full: bool, detach: bool) -> None:
    """Make a backup now; done when enough servers hold it, read back."""
    begun(screen, client, client.create_backup("full" if full else "incremental"), detach)


@backup.command("list")
@online
@click.option("--stream", type=click.Choice(("data", "keyring")), default="data", show_default=True)
@click.option("--journals", is_flag=True, help="Also what was shipped between two backups.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def list_backups(
    screen: Screen, client: Client, /, stream: Literal["data", "keyring"], journals: bool, limit: int
) -> None:
    """List the backups that enough servers hold, the newest first."""
    found = list(islice(client.backups(stream, journals=journals, page=min(limit, 1_000)), limit))
    screen.data({"backups": found}) if screen.json else screen.table(TITLES, map(_row, found))


@backup.command()
@online
@click.option("--read-data", type=Share(), default="5%", show_default=True, help="Share that is read back.")
@click.option("--target", metavar="NAME", help="Only this server, as `strongroom backup status` names it.")
@detach
def verify(screen: Screen, client: Client, /, read_data: float, target: str | None, detach: bool) -> None:
    """Hold every copy against its signed manifest; mend what is damaged from a good one.

    Exits 0 if all is good, 3 if a server could not be asked, 5 if something is damaged and could not be mended, 6 if
    everything damaged was mended, 7 if too few good copies are left.
    """
    job = client.verify_backups(read_data=read_data, target=target)
    if detach:
        begun(screen, client, job, detach)
        return
    job = followed(screen, client, job)
    if not screen.json:
        _told(screen, job)
    if code := _code(job):
        sys.exit(code)


@backup.command()
@online
@click.option("--former", is_flag=True, help="Those of the installations that this one was restored from.")
@click.option("--yes", is_flag=True, help="Remove them; without, they are told alone.")
@detach
def prune(screen: Screen, client: Client, /, former: bool, yes: bool, detach: bool) -> None:
    """Tell which backups STRONGROOM_BACKUP_KEEP does not keep; with --yes, remove them.

    Never the last verified copy. A server with object lock keeps what it must for longer.

    With --former, all keyrings and backups that the installations left which this one was restored from, once enough
    servers hold a whole backup of this one. Nobody else prunes them, so what is erased stays in them. Refused while one
    of them still makes backups. Their files of old audit records stay.
    """
    job = client.prune_backups(apply=yes, former=former)
    if detach:
        begun(screen, client, job, detach)
        return
    job = followed(screen, client, job)
    if not screen.json:
        _told(screen, job)
    if job.failed:
        sys.exit(1)


@backup.command()
@online
def status(screen: Screen, client: Client, /) -> None:
    """Say how backups stand: servers, the newest of each kind, until when all is shipped, the newest drill.

    Exits 0 if all is well, 7 if too few hold the newest backup, else 8 if one is late, else 3 if a server is not well.
    """
    found = client.backup_status()
    screen.data(found) if screen.json else _show(screen, found)
    if not found.enough:
        sys.exit(FEW)
    if found.late:
        sys.exit(LATE)
    if any(one.state != "ok" for one in found.targets):
        sys.exit(UNREACHABLE)


@backup.command()
@online
@click.option("--rotate", is_flag=True, help="Give them new versions first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def keys(screen: Screen, client: Client, /, rotate: bool, yes: bool) -> None:
    """Print the keys that sign backups, for `strongroom recovery init --trust`, a line each.

    Keep them apart from the servers: whoever restores must know whose backups these are.
    """
    if rotate:
        confirm("Turn the keys that sign and open backups? Print them for the recovery record after.", yes)
    found = client.rotate_backup_keys() if rotate else client.backup_keys()
    screen.data(found) if screen.json else _keys(screen, found)


@backup.command()
@online
@click.option("--limit", type=click.IntRange(1, 1_000), default=30, show_default=True)
def drills(screen: Screen, client: Client, /, limit: int) -> None:
    """List the drills that were reported, the newest first."""
    found = client.drills(limit)
    screen.data({"drills": found}) if screen.json else screen.table(DRILLS, map(_drill, found))


def _row(one: Backup) -> tuple[object, ...]:
    good = [copy.target for copy in one.copies if copy.state == "stored"]
    verified = [copy.verified_at for copy in one.copies if copy.verified_at is not None]
    return (
        one.number, one.kind, one.base, one.taken_at, one.rows, one.size, good, max(verified, default=None),
        one.drilled_at, one.forfeited_at,
    )  # fmt: skip


def _drill(one: Drill) -> tuple[object, ...]:
    return one.id, one.target, one.number, one.passed, one.begun_at, one.taken_at, one.seconds


def _told(screen: Screen, job: Job) -> None:
    """Print what came of a job: counts, and the files that something is wrong with."""
    for name in job.notes.installations or ():
        screen.say(f"installation: {name}")
    for name, count in (job.notes.outcome or {}).items():
        if name != "code":
            screen.say(f"{name}: {count:,}")
    for one in job.notes.findings or ():
        where = one.file if one.chunk is None else f"{one.file} (chunk {one.chunk})"
        screen.say(
            f"{one.code}\t{one.target}\t{where}\t{'mended' if one.mended else one.why or 'not mended'}"
        )


def _code(job: Job) -> int:
    """Return the exit code that says what a verification found; see `vault.recovery.findings`."""
    return (job.notes.outcome or {}).get("code", 1 if job.failed else 0)


def _show(screen: Screen, found: BackupStatus) -> None:
    screen.table(
        ("server", "state", "since", "lacks"), [(one.name, one.state, one.since, one.behind) for one in found.targets]
    )  # fmt: skip
    drilled = None if found.drilled is None else found.drilled.taken_at
    times = {
        "newest full": found.newest.full, "newest incremental": found.newest.incremental,
        "everything shipped until": found.shipped_until, "drilled until": drilled,
    }  # fmt: skip
    if found.follows is not None:
        screen.say(f"follows: {found.follows.installation}, restored from its backup {found.follows.number}")
    for name, at in times.items():
        screen.say(f"{name}: {'none yet' if at is None else f'{at:%Y-%m-%dT%H:%M:%SZ}'}")
    enough = "hold" if found.enough else "do NOT hold"
    screen.say(f"{found.quorum} servers {enough} all of the newest backup" + (", late" if found.late else ""))


def _keys(screen: Screen, found: BackupKeys) -> None:
    for vkey in found.signers:
        screen.say(vkey)
    for use, recipients in found.recipients.items():
        for one in recipients:
            screen.note(f"{use}: {one}")
