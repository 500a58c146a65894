"""Log-ins on record: a person's own list."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers
from api.auth import need
from api.operations import Operation
from api.schema.asks import LogInQuery
from api.schema.replies import LogIn, LogIns
from api.state import vault
from api.views.passwords import login
from vault import errors
from vault.columns import Actor, Grounds
from vault.credentials import LoginRecord

bp = Blueprint("logins", __name__, url_prefix="/v1/logins")


@bp.post("/list")
@Operation(
    needs=("logins",), takes=LogInQuery, gives=LogIns,
    refuses=(
        errors.CaseRequired, errors.ConsentRequired, errors.UnknownLogin, errors.MalformedToken, errors.WrongMode,
        errors.FieldNotGranted, errors.InvalidValue, errors.BudgetExceeded,
    ),
    example={"subject": "customer-1", "purpose": "subject-request", "since": "2026-01-01T00:00:00Z"},
)  # fmt: skip
def index(actor: Actor, ask: LogInQuery) -> Response:
    """List a person's log-ins, the newest first: when, from where, with which result.

    By `subject`, those of all their logins; by a login that belongs to a subject, the same.
    """
    if ask.view != "masked":
        need(actor, "reveal_plain")
    since = 0.0 if ask.since is None else ask.since.timestamp()
    page = vault().log_ins(
        actor, login(ask), ask.purpose, ask.view, since, ask.cursor, ask.limit, Grounds(ask.case, ask.consent)
    )
    answers.count("list_log_ins", "login_record", len(page.records), 0)
    return answers.answer(LogIns([_shown(record) for record in page.records], page.next_cursor))


def _shown(record: LoginRecord) -> LogIn:
    return LogIn(
        record.token, datetime.fromtimestamp(record.at, UTC), "ok" if record.result == "ok" else "refused",
        record.ip, record.device, record.agent, record.latitude, record.longitude, record.new_device,
        record.impossible_travel,
    )  # fmt: skip
