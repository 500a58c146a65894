"""API keys: made, listed, replaced and revoked by keys with that operation, none beyond its own reach."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers, problems
from api.errors import Forbidden, ShownOnce
from api.operations import Operation
from api.schema.asks import NewApiKey, Rotation
from api.schema.replies import ApiKey, ApiKeys
from api.state import state, vault
from api.views.descriptions import moment
from api.visit import visit
from vault import errors, fields
from vault.columns import OPERATIONS, Actor, ApiKeyRecord, Reply

bp = Blueprint("apikeys", __name__, url_prefix="/v1/apikeys")


@bp.get("")
@Operation(needs=("apikeys",), gives=ApiKeys)
def index(actor: Actor) -> Response:
    """List the API keys of this mode, never their texts."""
    return answers.answer(ApiKeys([_shown(record) for record in vault().list_api_keys(actor)]))


@bp.post("")
@Operation(
    needs=("apikeys",), takes=NewApiKey, gives=ApiKey, status=201, keyed=True,
    refuses=(errors.UnknownField, errors.ForbiddenField, ShownOnce),
    example={"name": "shop", "operations": ["tokenize"], "fields": ["phone"], "expires_in_seconds": 86400},
)  # fmt: skip
def create(actor: Actor, ask: NewApiKey) -> Response:
    """Make an API key; its text is in this reply and nowhere else.

    It ends with the key that asks, if not before. 403 if it would carry more than that, or a role that it lacks; 409 if
    this request made one before: its text is gone.
    """
    _check(ask)
    _within_reach(actor, ask.operations, ask.fields)
    operations, reached = sorted(set(ask.operations)), None if ask.fields is None else sorted(set(ask.fields))
    made = vault().create_api_key(
        actor,
        ask.name,
        operations,
        reached,
        ask.expires_in_seconds,
        answers.remember(_shown_before(actor)),
        ask.roles,
    )
    return answers.answer(_shown(*made), 201)


@bp.post("/<key_id>/rotate")
@Operation(
    needs=("apikeys",), takes=Rotation, optional=True, gives=ApiKey, status=201, keyed=True,
    refuses=(errors.UnknownApiKey, ShownOnce), example={"overlap_seconds": 3600},
)  # fmt: skip
def rotate(actor: Actor, ask: Rotation, key_id: str) -> Response:
    """Replace an API key: the new text is in this reply, the old one stays good for the overlap."""
    for record in vault().list_api_keys(actor):
        if record.id == key_id:
            _within_reach(actor, record.operations, record.fields)
    made = vault().rotate_api_key(actor, key_id, ask.overlap_seconds, answers.remember(_shown_before(actor)))
    state().callers.forget()
    return answers.answer(_shown(*made), 201)


@bp.delete("/<key_id>")
@Operation(needs=("apikeys",), status=204, refuses=(errors.UnknownApiKey,))
def revoke(actor: Actor, key_id: str) -> Response:
    """Revoke an API key; it stops working within a second, in this process at once."""
    vault().revoke_api_key(actor, key_id)
    state().callers.forget()
    return answers.empty()


def _check(ask: NewApiKey) -> None:
    """Raise InvalidRequest for an operation, UnknownField for a field, that there is not."""
    for index, operation in enumerate(ask.operations):
        if operation not in OPERATIONS:
            raise errors.InvalidRequest("is none of the operations", f"/operations/{index}")
    for index, name in enumerate(ask.fields or ()):
        try:
            fields.get(name)
        except errors.InvalidRequest as error:
            raise type(error)(str(error), f"/fields/{index}") from None


def _within_reach(actor: Actor, operations: Iterable[str], reached: Iterable[str] | None) -> None:
    """Raise Forbidden, after an audit record, unless the caller itself may do all that."""
    caller = visit().caller
    too_much = not caller.operations.issuperset(operations)
    if caller.fields is not None:
        too_much = too_much or reached is None or not caller.fields.issuperset(reached)
    if too_much:
        vault().record_refusal(actor, "apikeys", Forbidden.code)
        raise Forbidden("nobody makes an API key that reaches further than they do")


def _shown_before(actor: Actor) -> Callable[[object], Reply]:
    """Return what to answer if the request comes again: the text cannot, for it is kept nowhere."""
    error = ShownOnce("the API key was made by this request before; its text is kept nowhere")
    return lambda _: problems.kept(error, actor.request_id)


def _shown(record: ApiKeyRecord, text: str | None = None) -> ApiKey:
    return ApiKey(
        id=record.id,
        name=record.name,
        mode=record.mode,
        operations=list(record.operations),
        fields=None if record.fields is None else list(record.fields),
        created_at=datetime.fromtimestamp(record.created_at, UTC),
        expires_at=moment(record.expires_at),
        revoked_at=moment(record.revoked_at),
        roles=list(record.roles),
        made_by=record.made_by,
        key=text,
    )
