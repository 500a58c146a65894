"""Callers that may do nothing: frozen by the policy or by somebody, and let again by another."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema import governed
from api.schema.governing import Freezing, Thawing
from api.state import vault
from api.views.descriptions import moment
from vault import errors
from vault.columns import Actor

bp = Blueprint("callers", __name__, url_prefix="/v1/callers")


@bp.get("/frozen")
@Operation(needs=("callers",), gives=governed.FrozenCallers)
def index(actor: Actor) -> Response:
    """List the frozen callers, the newest first."""
    found = vault().governance.frozen_callers(actor)
    shown = [
        governed.FrozenCaller(one.caller, one.reason, one.frozen_by, moment(one.at / 1e6))  # type: ignore[arg-type]
        for one in found
    ]
    return answers.answer(governed.FrozenCallers(shown))


@bp.post("/freeze")
@Operation(
    needs=("callers",), takes=Freezing, status=204,
    example={"caller": "oidc:https://login.example#clerk", "reason": "left"},
)  # fmt: skip
def freeze(actor: Actor, ask: Freezing) -> Response:
    """Stop a caller: it may do nothing any more, within a second everywhere."""
    vault().governance.freeze(actor, ask.caller, ask.reason)
    return answers.empty()


@bp.post("/unfreeze")
@Operation(
    needs=("callers",), takes=Thawing, status=204, refuses=(errors.UnknownCaller, errors.SelfApproval),
    example={"caller": "oidc:https://login.example#clerk"},
)  # fmt: skip
def unfreeze(actor: Actor, ask: Thawing) -> Response:
    """Let a caller act again; nobody lets themselves again."""
    vault().governance.unfreeze(actor, ask.caller)
    return answers.empty()
