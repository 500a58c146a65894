"""Tokens in, views of their values out: masked by default, and never without a purpose."""

from __future__ import annotations

from flask import Blueprint, Response
from msgspec import Raw

from api import answers, grouping, limits, problems
from api.auth import need
from api.operations import Operation
from api.schema.asks import Compare, LooseCompare, LooseReveal, Reveal
from api.schema.replies import Comparisons, Values
from api.state import vault
from vault import errors
from vault.columns import Actor

bp = Blueprint("reveals", __name__)

_GROUNDS = (errors.CaseRequired, errors.ConsentRequired, errors.SlowedDown)
_ONE = (
    errors.MalformedToken, errors.UnknownToken, errors.ExpiredToken, errors.WrongMode, errors.FieldNotGranted,
    errors.NotRevealable, errors.PolicyDenied,
)  # fmt: skip
_PHONE = "+8613800138000"  # mainland form, never assigned to a person


@bp.post("/v1/reveal")
@Operation(
    needs=("reveal", "reveal_plain"), takes=Reveal, loose=LooseReveal, gives=Values,
    refuses=(
        *_GROUNDS, errors.UnknownField, errors.UnreadableValue, errors.BudgetExceeded, errors.ApprovalRequired,
        errors.ApprovalNotValid,
    ),
    items=_ONE, example={"tokens": ["tok_live_" + "0" * 35], "purpose": "service"},
)  # fmt: skip
def reveal(actor: Actor, ask: Reveal) -> Response:
    """Turn tokens back into values, or into what a view shows of them, for a purpose.

    `last4` shows the last characters; `fingerprint` is for ever the same for the same value of a field, and tells
    nothing else of it. The reply is never kept, whatever Idempotency-Key comes along. Metadata is not masked, so it
    needs the operation that full values need.
    """
    limits.count(ask.tokens, "/tokens")
    if ask.view in {"full", "plain"} or ask.metadata:
        need(actor, "reveal_plain")
    grounds = grouping.grounds(ask)
    result = vault().reveal(actor, ask.tokens, ask.purpose, ask.view, ask.field, ask.metadata, grounds)
    answers.count("reveal", ask.field, len(ask.tokens), len(result.errors))
    metadata = None
    if ask.metadata and result.metadata is not None:
        metadata = [None if one is None else Raw(one) for one in result.metadata]
    return answers.answer(Values(result.values, problems.items(result.errors, "tokens"), metadata))


@bp.post("/v1/compare")
@Operation(
    needs=("compare",), takes=Compare, loose=LooseCompare, gives=Comparisons,
    refuses=(*_GROUNDS, errors.UnknownField, errors.InvalidOption, errors.UnreadableValue),
    items=(*_ONE, errors.InvalidValue),
    example={"tokens": ["tok_live_" + "0" * 35], "values": [_PHONE], "purpose": "verify-identity"},
)  # fmt: skip
def compare(actor: Actor, ask: Compare) -> Response:
    """Say whether each token stands for the value beside it, for a purpose: yes or no, and nothing of the value.

    The reply is never kept, whatever Idempotency-Key comes along.
    """
    limits.count(ask.tokens, "/tokens")
    if len(ask.values) != len(ask.tokens):
        raise errors.InvalidRequest("must be as long as tokens", "/values")
    said, grounds = dict(grouping.options(ask.options)), grouping.grounds(ask)
    result = vault().compare(actor, ask.tokens, ask.values, ask.purpose, ask.field, said, grounds)
    answers.count("compare", ask.field, len(ask.tokens), len(result.errors))
    return answers.answer(Comparisons(result.matches, problems.items(result.errors, "tokens")))
