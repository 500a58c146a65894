"""What may be said of tokens without their values: of some, of one, or of all in pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers, limits, problems
from api.auth import need_field
from api.operations import Operation
from api.schema.asks import LooseTokenList, TokenList, TokenQuery
from api.schema.replies import Descriptions, TokenDescription, TokenPage
from api.state import vault
from vault import errors, fields
from vault.columns import Actor, Description, Page

bp = Blueprint("descriptions", __name__, url_prefix="/v1/tokens")

_ONE = (
    errors.MalformedToken, errors.UnknownToken, errors.ExpiredToken, errors.WrongMode, errors.FieldNotGranted,
)  # fmt: skip


@bp.post("/describe")
@Operation(
    needs=("describe",), takes=TokenList, loose=LooseTokenList, gives=Descriptions,
    refuses=(errors.UnknownField,), items=_ONE,
    example={"tokens": ["tok_live_" + "0" * 35]},
)  # fmt: skip
def describe(actor: Actor, ask: TokenList) -> Response:
    """Describe tokens, never their values."""
    limits.count(ask.tokens, "/tokens")
    result = vault().describe(actor, ask.tokens, ask.field)
    answers.count("describe", ask.field, len(ask.tokens), len(result.errors))
    classes = _classes()
    tokens = [None if one is None else _described(one, classes) for one in result.tokens]
    return answers.answer(Descriptions(tokens, problems.items(result.errors, "tokens")))


@bp.get("/<token>")
@Operation(
    needs=("describe",), gives=TokenDescription,
    refuses=_ONE,
)  # fmt: skip
def show(actor: Actor, token: str) -> Response:
    """Describe one opaque token."""
    result = vault().describe(actor, [token])
    for error in result.errors.values():
        raise error
    answers.count("describe", None, 1, 0)
    (one,) = result.tokens
    if one is None:
        raise errors.UnknownToken
    return answers.answer(_described(one, _classes()))


@bp.get("")
@Operation(
    needs=("list",), query=TokenQuery, gives=TokenPage, refuses=(errors.UnknownField, errors.FieldNotGranted)
)  # fmt: skip
def index(actor: Actor, ask: TokenQuery) -> Response:
    """List the tokens, a page at a time."""
    if ask.field is not None:
        need_field(actor, "list", ask.field)
    return answers.answer(
        page(vault().list_tokens(actor, field=ask.field, cursor=ask.cursor, limit=ask.limit))
    )


def page(found: Page) -> TokenPage:
    """Return a page of the vault's as a reply, counted."""
    answers.count("list", None, len(found.tokens), 0)
    classes = _classes()
    return TokenPage([_described(one, classes) for one in found.tokens], found.next_cursor)


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a moment in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _classes() -> dict[str, str]:
    return {kind.name: kind.classification for kind in fields.all()}


def _described(one: Description, classes: Mapping[str, str]) -> TokenDescription:
    return TokenDescription(
        token=one.token,
        field=one.field,
        kind=one.kind,
        deterministic=one.deterministic,
        scope=one.scope,
        source=one.source,
        subject=one.subject,
        metadata=one.metadata,
        classification=classes.get(one.field, "C2"),
        created_at=datetime.fromtimestamp(one.created_at, UTC),
        expires_at=moment(one.expires_at),
        key=one.key,
        tags=list(one.tags),
    )
