"""The audit: how its log is, what is in it, and proof of both; reading it is on record itself."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import audited, auditing
from api.state import vault
from api.views import audittold
from vault import errors
from vault.audit.answers import Query
from vault.columns import Actor

bp = Blueprint("audit", __name__, url_prefix="/v1/audit")

_LOG = (errors.UnknownLog,)
_RECORD = (errors.UnknownLog, errors.UnknownRecord)
_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_NOTE = f"strongroom/{0:016x}/1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 x AAAAAAA=\n"


@bp.get("")
@Operation(needs=("audit",), query=auditing.LogQuery, gives=audited.AuditStatus, refuses=_LOG, open=True)
def index(actor: Actor, ask: auditing.LogQuery) -> Response:
    """Say how the audit's log is, how far it is sealed, and how the places outside are that take its records.

    It answers also while no such place takes records, when all other requests are refused.
    """
    return answers.answer(audittold.status(vault().audit.status(actor, ask.log)))


@bp.get("/checkpoint")
@Operation(
    needs=("audit",), query=auditing.CheckpointQuery, gives=audited.AuditCheckpoint, refuses=_RECORD
)  # fmt: skip
def checkpoint(actor: Actor, ask: auditing.CheckpointQuery) -> Response:
    """Give a signed checkpoint: by default that of all that is sealed."""
    return answers.answer(audited.AuditCheckpoint(vault().audit.checkpoint(actor, ask.log, ask.size)))


@bp.get("/checkpoints")
@Operation(needs=("audit",), query=auditing.CheckpointsQuery, gives=audited.AuditCheckpoints, refuses=_LOG)
def checkpoints(actor: Actor, ask: auditing.CheckpointsQuery) -> Response:
    """List signed checkpoints, the smallest first."""
    found = vault().audit.checkpoints(actor, ask.log, ask.after, ask.limit)
    return answers.answer(audited.AuditCheckpoints(found))


@bp.get("/leaves")
@Operation(needs=("audit",), query=auditing.LeavesQuery, gives=audited.AuditLeaves, refuses=_RECORD)
def leaves(actor: Actor, ask: auditing.LeavesQuery) -> Response:
    """Give records as they lie in the tree, and their hashes."""
    found = vault().audit.leaves(actor, ask.log, ask.first, ask.limit)
    return answers.answer(audited.AuditLeaves(found.log, found.first, list(found.leaves), list(found.hashes)))


@bp.get("/tiles")
@Operation(needs=("audit",), query=auditing.TileQuery, gives=audited.AuditTile, refuses=_RECORD)
def tiles(actor: Actor, ask: auditing.TileQuery) -> Response:
    """Give the hashes of one tile of the tree."""
    packed = vault().audit.tiles(actor, ask.log, ask.level, ask.number)
    hashes = [packed[at : at + 32] for at in range(0, len(packed), 32)]
    return answers.answer(audited.AuditTile(ask.level, ask.number, hashes))


@bp.post("/records")
@Operation(
    needs=("audit",), takes=auditing.RecordSearch, optional=True, gives=audited.AuditRecords,
    refuses=(errors.MalformedToken, errors.WrongMode, errors.UnknownField),
    example={"operation": "reveal", "since": "2026-11-01T00:00:00Z", "limit": 10},
)  # fmt: skip
def records(actor: Actor, ask: auditing.RecordSearch) -> Response:
    """Find records, the newest first: by caller, token, person, field, operation, result and time."""
    query = Query(
        ask.caller, ask.token, ask.field, ask.subject, ask.operation, ask.result,
        _seconds(ask.since), _seconds(ask.until),
    )  # fmt: skip
    found = vault().audit.records(actor, query, ask.cursor, ask.limit)
    return answers.answer(audittold.records(found, vault().audit.key_names(actor)))


@bp.post("/person")
@Operation(
    needs=("audit",), takes=auditing.PersonSearch, gives=audited.PersonEvents, example={"subject": "customer-1"}
)  # fmt: skip
def person(actor: Actor, ask: auditing.PersonSearch) -> Response:
    """Tell what happened to a person's data, the newest first."""
    found = vault().audit.person(
        actor, ask.subject, ask.cursor, ask.limit, _seconds(ask.since), _seconds(ask.until)
    )
    return answers.answer(audittold.events(found, vault().audit.key_names(actor)))


@bp.post("/prove")
@Operation(
    needs=("audit",), takes=auditing.RecordProof, gives=audited.InclusionProof,
    refuses=(*_RECORD, errors.NotSealed, errors.AuditDamaged),
    example={"record": 0},
)  # fmt: skip
def prove(actor: Actor, ask: auditing.RecordProof) -> Response:
    """Prove that a record is in a log (RFC 6962, section 2.1.1)."""
    return answers.answer(audittold.inclusion(vault().audit.prove(actor, ask.record, ask.size, ask.log)))


@bp.post("/consistency")
@Operation(
    needs=("audit",), takes=auditing.GrowthProof, gives=audited.ConsistencyProof, refuses=(*_LOG, errors.AuditDamaged),
    example={"from_size": 1, "to_size": 1},
)  # fmt: skip
def consistency(actor: Actor, ask: auditing.GrowthProof) -> Response:
    """Prove that a log kept all that it had when it was smaller (RFC 6962, section 2.1.2)."""
    found = vault().audit.consistency(actor, ask.log, ask.from_size, ask.to_size)
    return answers.answer(audittold.consistency(found))


@bp.post("/export")
@Operation(
    needs=("audit",), takes=auditing.AuditExport, optional=True, gives="application/x-ndjson", refuses=_RECORD,
    example={"format": "ndjson", "first": 0},
)  # fmt: skip
def export(actor: Actor, ask: auditing.AuditExport) -> Response:
    """Give a signed file of records, in NDJSON or CSV (text/csv).

    Its last line has a signature over all before it: a file without it was cut off. Of a time, all records are in it,
    and some before and after.
    """
    first, end = _range(actor, ask)
    pieces = vault().audit.export(actor, ask.format, ask.log, first, end)
    return Response(pieces, content_type=_TYPES[ask.format])


@bp.post("/reopen")
@Operation(
    needs=("audit",), takes=auditing.Reopening, gives=audited.AuditStatus,
    refuses=(errors.InvalidCheckpoint, errors.LogNotBehind), example={"checkpoint": _NOTE},
)  # fmt: skip
def reopen(actor: Actor, ask: auditing.Reopening) -> Response:
    """End the log of a restored database and open the next one, which names what is lost.

    409 if the log has all that the checkpoint covers: nothing is lost then.
    """
    return answers.answer(audittold.status(vault().audit.reopen(actor, ask.checkpoint)))


def _range(actor: Actor, ask: auditing.AuditExport) -> tuple[int, int | None]:
    """Return the positions that are asked for, by themselves or by time."""
    if ask.since is None and ask.until is None:
        return ask.first or 0, ask.end
    if ask.first is not None or ask.end is not None:
        raise errors.InvalidRequest("say either positions or times", "/first")
    return vault().audit.between(actor, _seconds(ask.since), _seconds(ask.until), ask.log)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.astimezone(UTC).timestamp()
