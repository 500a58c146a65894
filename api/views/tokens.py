"""Values in, tokens out: one, a column of one field type, or mixed items; and tokens deleted."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, grouping, limits, problems
from api.auth import need_field
from api.operations import Operation
from api.schema.asks import LooseColumn, LooseItems, LooseTokenList, NewColumn, NewItems, NewToken, TokenList
from api.schema.replies import Deletion, Token, Tokens
from api.state import vault
from api.views.items import Mixture
from keys.errors import KeyExhausted, KeyExpired
from vault import errors
from vault.columns import Actor, AlreadyDone, Deleted, Reply, Tokenized

bp = Blueprint("tokens", __name__, url_prefix="/v1/tokens")

_PHONE = "+8613800138000"  # mainland form, never assigned to a person
_HOW = (
    errors.UnknownField, errors.ForbiddenField, errors.InvalidOption, errors.NotShapable,
    errors.DomainTooSmall, errors.LookalikeRequired, errors.NotSearchable, KeyExpired, KeyExhausted,
)  # fmt: skip
_NEW = (errors.InvalidValue, errors.SubjectConflict, errors.TokenSpaceExhausted)
_ONE = (
    errors.MalformedToken,
    errors.UnknownToken,
    errors.ExpiredToken,
    errors.WrongMode,
    errors.FieldNotGranted,
)


@bp.post("")
@Operation(
    needs=("tokenize",), takes=NewToken, gives=Token, status=201, keyed=True,
    refuses=(*_HOW, *_NEW, errors.FieldNotGranted),
    example={"field": "phone", "value": _PHONE, "subject": "customer-1"},
)  # fmt: skip
def create(actor: Actor, ask: NewToken) -> Response:
    """Exchange one value for a token.

    201 with the token, and a Location unless it is shaped; 422 if the value is not of its field type.
    """
    need_field(actor, "tokenize", ask.field)
    column = grouping.single(ask)

    def render(results: list[Tokenized]) -> Reply:
        error = results[0].errors.get(0)
        if error is not None:
            return problems.kept(error, actor.request_id, "/value")
        return answers.reply(Token(str(results[0].tokens[0])), 201)

    try:
        results = vault().tokenize(actor, [column], answers.remember(render))
    except AlreadyDone as done:
        return _created(done.reply, problems.replay(done))
    answers.count("tokenize", ask.field, 1, len(results[0].errors))
    reply = render(results)
    return _created(reply, answers.respond(reply))


@bp.post("/column")
@Operation(
    needs=("tokenize",), takes=NewColumn, loose=LooseColumn, gives=Tokens, keyed=True,
    refuses=(*_HOW, errors.FieldNotGranted), items=_NEW,
    example={"field": "phone", "values": [_PHONE, "not a phone number"], "subjects": ["customer-1", None]},
)  # fmt: skip
def column(actor: Actor, ask: NewColumn) -> Response:
    """Exchange the values of one field type for tokens: the fast form.

    Each value has its token, or null and an entry in `errors`; the order is kept.
    """
    need_field(actor, "tokenize", ask.field)
    asked = grouping.column(ask)

    def render(results: list[Tokenized]) -> Reply:
        result = results[0]
        return answers.reply(Tokens(result.tokens, problems.items(result.errors, "values")))

    results = vault().tokenize(actor, [asked], answers.remember(render))
    answers.count("tokenize", ask.field, len(ask.values), len(results[0].errors))
    return answers.respond(render(results))


@bp.post("/items")
@Operation(
    needs=("tokenize",), takes=NewItems, loose=LooseItems, gives=Tokens, keyed=True, refuses=_HOW,
    items=(*_NEW, errors.FieldNotGranted),
    example={"items": [{"field": "phone", "value": _PHONE}, {"field": "email", "value": "li@example.com"}]},
)  # fmt: skip
def items(actor: Actor, ask: NewItems) -> Response:
    """Exchange mixed values for tokens, all in one commit; the order is kept."""
    mixture = Mixture(actor, ask.items)

    def render(results: list[Tokenized]) -> Reply:
        whole = mixture.scatter(results)
        return answers.reply(Tokens(whole.tokens, problems.items(whole.errors, "items", "value")))

    results = mixture.tokenize(answers.remember(render))
    return answers.respond(render(results))


@bp.post("/delete")
@Operation(
    needs=("delete",), takes=TokenList, loose=LooseTokenList, gives=Deletion, keyed=True,
    refuses=(errors.UnknownField,), items=_ONE,
    example={"tokens": ["tok_live_" + "0" * 35]},
)  # fmt: skip
def delete(actor: Actor, ask: TokenList) -> Response:
    """Delete tokens and their values for good."""
    limits.count(ask.tokens, "/tokens")

    def render(result: Deleted) -> Reply:
        return answers.reply(Deletion(result.deleted, problems.items(result.errors, "tokens")))

    result = vault().delete(actor, ask.tokens, ask.field, answers.remember(render))
    answers.count("delete", ask.field, len(ask.tokens), len(result.errors))
    return answers.respond(render(result))


@bp.delete("/<token>")
@Operation(needs=("delete",), status=204, refuses=_ONE)
def remove(actor: Actor, token: str) -> Response:
    """Delete one opaque token and its value for good."""
    result = vault().delete(actor, [token])
    for error in result.errors.values():
        raise error
    answers.count("delete", None, 1, 0)
    return answers.empty()


def _created(reply: Reply, response: Response) -> Response:
    """Return the reply to a single value with the place where its token is described."""
    opaque = reply.status == 201 and reply.body.startswith(b'{"token":"tok_')
    if opaque:
        response.headers["Location"] = f"/v1/tokens/{reply.body[10:-2].decode()}"
    return response
