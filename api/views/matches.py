"""Values in, the tokens that already stand for them out."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, grouping, limits, problems
from api.auth import need_field
from api.operations import Operation
from api.schema.asks import Find, LooseFind
from api.schema.replies import Matches
from api.state import vault
from vault import errors
from vault.columns import MAX_FIND, Actor

bp = Blueprint("matches", __name__)


@bp.post("/v1/find")
@Operation(
    needs=("find",), takes=Find, loose=LooseFind, gives=Matches,
    refuses=(errors.UnknownField, errors.ForbiddenField, errors.NotSearchable, errors.FieldNotGranted),
    items=(errors.InvalidValue,),
    example={"field": "phone", "values": ["+8613800138000"]},
)  # fmt: skip
def find(actor: Actor, ask: Find) -> Response:
    """Find the tokens of values, at most 1,000 values a request.

    The reply is never kept, whatever Idempotency-Key comes along.
    """
    limits.count(ask.values, "/values", MAX_FIND)
    need_field(actor, "find", ask.field)
    said = dict(grouping.options(ask.options))
    result = vault().find(actor, ask.field, ask.values, ask.scope, said)
    answers.count("find", ask.field, len(ask.values), len(result.errors))
    return answers.answer(Matches(result.matches, problems.items(result.errors, "values")))
