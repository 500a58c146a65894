"""Persons and companies that values are about: their tokens, and their erasure."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, limits
from api.operations import Operation
from api.schema.asks import PageQuery
from api.schema.replies import SubjectErasure, TokenPage
from api.state import vault
from api.views.descriptions import page
from vault import errors
from vault.columns import Actor

bp = Blueprint("subjects", __name__, url_prefix="/v1/subjects")


@bp.get("/<path:subject>/tokens")
@Operation(needs=("list",), query=PageQuery, gives=TokenPage)
def tokens(actor: Actor, ask: PageQuery, subject: str) -> Response:
    """List the tokens of a subject, a page at a time."""
    limits.subjects([subject], "")
    return answers.answer(
        page(vault().list_tokens(actor, subject=subject, cursor=ask.cursor, limit=ask.limit))
    )


@bp.delete("/<path:subject>")
@Operation(needs=("erase",), gives=SubjectErasure, refuses=(errors.UnknownSubject, errors.InvalidRequest))
def erase(actor: Actor, subject: str) -> Response:
    """Erase a subject: destroy its key, and with it every value about it, for good."""
    limits.subjects([subject], "")
    done = vault().erase(actor, subject)
    answers.count("erase", None, done.tokens, 0)
    return answers.answer(SubjectErasure(True, done.tokens, done.id))
