"""Alarms: what somebody should look at, and that somebody has."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import audited, auditing
from api.state import vault
from vault import errors
from vault.alarms import KINDS
from vault.columns import Actor
from vault.store.alarms import Alarm

bp = Blueprint("alarms", __name__, url_prefix="/v1/alarms")

_NEEDS = ("audit", "callers")


@bp.get("")
@Operation(needs=_NEEDS, query=auditing.AlarmQuery, gives=audited.Alarms, open=True)
def index(actor: Actor, ask: auditing.AlarmQuery) -> Response:
    """List the alarms of this mode, and those that are nobody's alone, the newest first."""
    page = vault().alarms.list(actor, ask.cursor, ask.limit)
    return answers.answer(audited.Alarms([_shown(one) for one in page.alarms], page.next_cursor))


@bp.post("/<alarm_id>/acknowledge")
@Operation(needs=_NEEDS, gives=audited.Alarm, refuses=(errors.UnknownAlarm,), open=True)
def acknowledge(actor: Actor, alarm_id: str) -> Response:
    """Say that somebody has seen to an alarm; who was first stays."""
    return answers.answer(_shown(vault().alarms.acknowledge(actor, alarm_id)))


def _shown(one: Alarm) -> audited.Alarm:
    return audited.Alarm(
        id=one.id,
        kind=one.kind,
        text=KINDS.get(one.kind, ""),
        detail=one.detail,
        caller=one.caller,
        mode=one.mode or None,  # type: ignore[arg-type] # of vault.columns.Mode, or ""
        request_id=one.request_id,
        at=_moment(one.at),
        acknowledged_at=None if one.acknowledged_at is None else _moment(one.acknowledged_at),
        acknowledged_by=one.acknowledged_by,
    )


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
