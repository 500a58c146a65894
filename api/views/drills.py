"""Drills: the reports that drill hosts sign."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import backedup
from api.state import vault
from vault import errors
from vault.columns import Actor
from vault.store.drills import Drill

bp = Blueprint("drills", __name__, url_prefix="/v1/drills")

_NEEDS = ("backups",)


@bp.get("")
@Operation(needs=_NEEDS, query=backedup.DrillQuery, gives=backedup.Drills)
def index(actor: Actor, ask: backedup.DrillQuery) -> Response:
    """List the newest drills, the newest first."""
    return answers.answer(backedup.Drills([shown(one) for one in vault().backups.drills(actor, ask.limit)]))


@bp.get("/<drill_id>")
@Operation(needs=_NEEDS, gives=backedup.DrillReport, refuses=(errors.UnknownDrill,))
def show(actor: Actor, drill_id: str) -> Response:
    """Return a drill with its signed report."""
    found = vault().backups.drill(actor, drill_id)
    return answers.answer(backedup.DrillReport(drill=shown(found), report=found.report))


@bp.post("")
@Operation(
    needs=_NEEDS, takes=backedup.Reporting, gives=backedup.Drill,
    refuses=(errors.InvalidReport, errors.BackupsNotConfigured), example={"report": "{}\n\n\u2014 a b\n"},
)  # fmt: skip
def report(actor: Actor, ask: backedup.Reporting) -> Response:
    """Take the signed report of a drill: its backup counts as drilled if it passed, an alarm tells if it failed.

    A report that was taken before changes nothing.
    """
    return answers.answer(shown(vault().backups.take_report(actor, ask.report)))


def shown(one: Drill) -> backedup.Drill:
    """Return a drill as replies have it."""
    return backedup.Drill(
        id=one.id,
        target=one.target,
        number=one.number,
        passed=one.passed,
        begun_at=_moment(one.begun_at),
        taken_at=_moment(one.taken_at) if one.taken_at else None,
        seconds=one.seconds,
    )


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
