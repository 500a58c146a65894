"""Backups on other servers: made, listed, verified, thinned out; and the keys that sign and open them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import backedup
from api.schema.replies import Job
from api.state import vault
from api.views import drills
from api.views.jobs import started
from keys.errors import KeysetChanged
from vault import errors
from vault.backup.model import Origin
from vault.columns import Actor
from vault.recovery.asking import Held, Keys, Standing

bp = Blueprint("backups", __name__, url_prefix="/v1/backups")

_NEEDS = ("backups",)
_START = (errors.BackupsNotConfigured, errors.JobRunning)


@bp.post("")
@Operation(
    needs=_NEEDS, takes=backedup.Making, gives=Job, status=202, refuses=_START, example={"kind": "full"}
)
def create(actor: Actor, ask: backedup.Making) -> Response:
    """Start a job that makes a backup of the whole service, every business's; no request notices.

    The job is done when as many targets as the settings want hold it, read back.
    """
    return started(vault().backups.create(actor, ask.kind))


@bp.get("")
@Operation(needs=_NEEDS, query=backedup.BackupQuery, gives=backedup.Backups)
def index(actor: Actor, ask: backedup.BackupQuery) -> Response:
    """List the backups that enough targets hold, the newest first, and what each target has of them."""
    page = vault().backups.page(actor, ask.stream, journals=ask.journals, cursor=ask.cursor, limit=ask.limit)
    return answers.answer(backedup.Backups([_shown(one) for one in page.backups], page.next_cursor))


@bp.get("/status")
@Operation(needs=_NEEDS, gives=backedup.BackupStatus)
def status(actor: Actor) -> Response:
    """Say how backups stand: targets, the newest of each kind, until when everything is shipped, the newest drill."""
    found = vault().backups.status(actor)
    newest = {kind: moment(one.taken_at) for kind, one in found.newest.items()}
    return answers.answer(
        backedup.BackupStatus(
            installation=found.installation,
            follows=_follows(found.follows),
            quorum=found.quorum,
            targets=[_target(one) for one in found.targets],
            newest=backedup.NewestBackups(
                full=newest.get("full"), incremental=newest.get("incremental"), journal=newest.get("journal")
            ),
            shipped_until=moment(found.shipped),
            enough=found.enough,
            late=found.late,
            drilled=None if found.drilled is None else drills.shown(found.drilled),
        )
    )


@bp.post("/verify")
@Operation(
    needs=_NEEDS, takes=backedup.Verifying, gives=Job, status=202, refuses=_START, example={"read_data": 0.05}
)
def verify(actor: Actor, ask: backedup.Verifying) -> Response:
    """Start a job that holds every copy against its manifest, and mends what is damaged from a good one."""
    return started(vault().backups.verify(actor, ask.read_data, ask.target))


@bp.post("/prune")
@Operation(
    needs=_NEEDS, takes=backedup.Pruning, gives=Job, status=202, refuses=_START, example={"apply": False}
)
def prune(actor: Actor, ask: backedup.Pruning) -> Response:
    """Start a job that tells which backups the settings do not keep, and removes them where `apply` says so.

    With `former`, all those that the installations left which this one was restored from, once its own are held.
    """
    return started(vault().backups.prune(actor, ask.apply, ask.former))


@bp.get("/keys")
@Operation(needs=_NEEDS, gives=backedup.BackupKeys, refuses=(errors.BackupsNotConfigured,))
def keys(actor: Actor) -> Response:
    """Say which keys sign manifests, for the recovery record, and to whom chunks are sealed."""
    return _keys(vault().backups.keys(actor))


@bp.post("/keys/rotate")
@Operation(needs=("roots",), gives=backedup.BackupKeys, refuses=(errors.BackupsNotConfigured, KeysetChanged))
def rotate(actor: Actor) -> Response:
    """Give the keys that sign and open backups new versions; what is at the targets goes on to be good."""
    return _keys(vault().backups.rotate_keys(actor))


@overload
def moment(micros: int) -> datetime: ...
@overload
def moment(micros: int | None) -> datetime | None: ...
def moment(micros: int | None) -> datetime | None:
    """Return microseconds since 1970 as a time."""
    return None if micros is None else datetime.fromtimestamp(micros / 1e6, UTC)


def _keys(found: Keys) -> Response:
    return answers.answer(backedup.BackupKeys(signers=found.signers, recipients=found.recipients))


def _follows(origin: Origin | None) -> backedup.FormerBackup | None:
    if origin is None:
        return None
    return backedup.FormerBackup(installation=origin.installation, number=origin.number)


def _target(one: Standing) -> backedup.BackupTarget:
    return backedup.BackupTarget(name=one.name, state=one.state, since=moment(one.since), behind=one.behind)


def _shown(held: Held) -> backedup.Backup:
    one = held.backup
    return backedup.Backup(
        stream=one.stream,
        number=one.number,
        kind=one.kind,
        base=one.base,
        taken_at=moment(one.taken_at),
        finished_at=moment(one.finished_at),
        rows=one.rows,
        size=one.size,
        digest=one.digest,
        drilled_at=moment(one.drilled_at),
        forfeited_at=moment(one.forfeited_at),
        copies=[
            backedup.BackupCopy(
                target=copy.target, state=copy.state, stored_at=moment(copy.stored_at),
                verified_at=moment(copy.verified_at), problem=copy.problem,
            )
            for copy in held.copies
        ],
    )  # fmt: skip
