"""Root keys, which every tenant's keysets hang on: looked at, moved between, turned."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from api import answers
from api.errors import RootNotListed
from api.operations import Operation
from api.schema.asks import RootMove, RootTurn
from api.schema.replies import Job, Root, Roots
from api.state import vault
from api.views.jobs import started
from keys.errors import RootCannotTurn, UnknownRoot
from vault import errors
from vault.columns import Actor
from vault.store.jobs import Job as Held

bp = Blueprint("roots", __name__, url_prefix="/v1/roots")

_TURN = (RootNotListed, RootCannotTurn, errors.JobRunning)


@bp.get("")
@Operation(needs=("keys",), gives=Roots)
def index(actor: Actor) -> Response:
    """List the root keys of the settings, and whether they answer."""
    return answers.answer(Roots([Root(root.name, root.version, root.state) for root in vault().roots(actor)]))


@bp.post("/move")
@Operation(
    needs=("roots",), takes=RootMove, gives=Job, status=202, refuses=(RootNotListed, errors.JobRunning),
    example={"to": "transit"},
)  # fmt: skip
def move(actor: Actor, ask: RootMove) -> Response:
    """Start a job that wraps every tenant's keysets under another root; no request notices.

    202 with the job, and its address in Location; 409 while a job is at work on the roots.
    """
    return _start(lambda: vault().move_root(actor, ask.to), ask.to, "/to")


@bp.post("/rotate")
@Operation(
    needs=("roots",), takes=RootTurn, gives=Job, status=202, refuses=_TURN, example={"root": "transit"}
)  # fmt: skip
def rotate(actor: Actor, ask: RootTurn) -> Response:
    """Start a job that turns a root's own key, wraps every keyset anew, and retires its older versions.

    What only an older version opens is lost then: keysets in backups of the database made before.
    """
    return _start(lambda: vault().rotate_root(actor, ask.root), ask.root, "/root")


@bp.post("/rewrap")
@Operation(
    needs=("roots",), takes=RootTurn, gives=Job, status=202, refuses=_TURN, example={"root": "transit"}
)  # fmt: skip
def rewrap(actor: Actor, ask: RootTurn) -> Response:
    """Start a job that wraps every keyset under the newest version of its root's own key."""
    return _start(lambda: vault().rewrap(actor, ask.root), ask.root, "/root")


def _start(start: Callable[[], Held], name: str, pointer: str) -> Response:
    """Start a job; a root that was asked for and is not listed is the caller's mistake, one in store is ours."""
    try:
        return started(start())
    except UnknownRoot:
        if name in vault().root_states():
            raise
        raise RootNotListed("the settings list no root key of that name", pointer) from None
