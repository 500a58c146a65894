"""Tokens in, views of their values out: masked by default, and never without a purpose."""

from __future__ import annotations

from flask import Blueprint, Response
from msgspec import Raw

from api import answers, limits, problems
from api.auth import need
from api.operations import Operation
from api.schema.asks import LooseReveal, Reveal
from api.schema.replies import Values
from api.state import vault
from vault import errors
from vault.columns import PURPOSES, Actor

bp = Blueprint("reveals", __name__)


@bp.post("/v1/reveal")
@Operation(
    needs=("reveal", "reveal_plain"), takes=Reveal, loose=LooseReveal, gives=Values,
    refuses=(errors.UnknownField, errors.UnreadableValue),
    items=(
        errors.MalformedToken, errors.UnknownToken, errors.ExpiredToken, errors.WrongMode, errors.FieldNotGranted,
        errors.NotRevealable,
    ),
    example={"tokens": ["tok_live_" + "0" * 35], "purpose": "service"},
)  # fmt: skip
def reveal(actor: Actor, ask: Reveal) -> Response:
    """Turn tokens back into masked or plain values, for a purpose.

    The reply is never kept, whatever Idempotency-Key comes along. Metadata is not masked, so it needs the
    operation that plain values need.
    """
    limits.count(ask.tokens, "/tokens")
    if ask.purpose not in PURPOSES:
        raise errors.InvalidRequest("is none of the purposes", "/purpose")
    if ask.view == "plain" or ask.metadata:
        need(actor, "reveal_plain")
    result = vault().reveal(actor, ask.tokens, ask.purpose, ask.view, ask.field, ask.metadata)
    answers.count("reveal", ask.field, len(ask.tokens), len(result.errors))
    metadata = None
    if ask.metadata and result.metadata is not None:
        metadata = [None if one is None else Raw(one) for one in result.metadata]
    return answers.answer(Values(result.values, problems.items(result.errors, "tokens"), metadata))
