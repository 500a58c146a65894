"""Keysets: what each is for, its versions, and a new one to take over."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema.replies import Job, Keyset, Keysets
from api.state import vault
from api.views import keys
from api.views.jobs import started
from vault import errors
from vault.columns import Actor, KeysetInfo

bp = Blueprint("keysets", __name__, url_prefix="/v1/keysets")


@bp.get("")
@Operation(needs=("keys",), gives=Keysets)
def index(actor: Actor) -> Response:
    """List the keysets and their versions, without counting what needs them."""
    return answers.answer(Keysets([_shown(found) for found in vault().keysets(actor)]))


@bp.get("/<purpose>")
@Operation(needs=("keys",), gives=Keyset, refuses=(errors.UnknownKeyset,))
def show(actor: Actor, purpose: str) -> Response:
    """Show one keyset, and how much of each thing needs each version; this reads whole tables."""
    return answers.answer(_shown(vault().keyset(actor, purpose)))


@bp.post("/<purpose>/rotate")
@Operation(
    needs=("custody",), gives=Job, status=202,
    refuses=(errors.UnknownKeyset, errors.KeysetDoesNotTurn, errors.JobRunning),
)  # fmt: skip
def rotate(actor: Actor, purpose: str) -> Response:
    """Start a job that gives a keyset a new primary version and brings everything under it.

    202 with the job, and its address in Location; 409 while one is at work on the keyset.
    """
    return started(vault().rotate_keyset(actor, purpose))


def _shown(found: KeysetInfo) -> Keyset:
    return Keyset(
        purpose=found.purpose,
        rotates=found.rotates,
        generation=found.generation,
        versions=[keys.shown(version) for version in found.versions],
    )
