"""Decoys: tokens that look like any other, made to be found by who should not be looking."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, grouping, limits, problems
from api.auth import need_field
from api.operations import Operation
from api.schema.governing import NewDecoys
from api.schema.replies import Tokens
from api.state import vault
from vault import errors
from vault.columns import Actor

bp = Blueprint("decoys", __name__, url_prefix="/v1/decoys")


@bp.post("")
@Operation(
    needs=("decoys",), takes=NewDecoys, gives=Tokens, status=201,
    refuses=(
        errors.UnknownField, errors.ForbiddenField, errors.InvalidOption, errors.NotShapable, errors.DomainTooSmall,
        errors.LookalikeRequired, errors.FieldNotGranted,
    ),
    items=(errors.InvalidValue, errors.TokenSpaceExhausted),
    example={"field": "bank_card", "count": 3},
)  # fmt: skip
def create(actor: Actor, ask: NewDecoys) -> Response:
    """Make tokens that nobody has a reason to reveal or compare; who does raises an alarm.

    No later reply and nothing in the database tells them from others: keep this one where a thief would look.
    """
    need_field(actor, "decoys", ask.field)
    if ask.subjects is not None:
        limits.same_length(ask.subjects, ask.values or range(ask.count), "/subjects")
        limits.subjects(ask.subjects, "/subjects/{}")
    made = vault().governance.make_decoys(
        actor, ask.field, ask.count, ask.values, grouping.spec(ask), ask.subjects
    )
    answers.count("tokenize", ask.field, len(made.tokens), len(made.errors))  # as any other tokens
    return answers.answer(Tokens(made.tokens, problems.items(made.errors, "values")), 201)
