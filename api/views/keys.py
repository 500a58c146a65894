"""Key versions: declared leaked, suspended and resumed, destroyed after a wait; never a key itself."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response

from api import answers
from api.operations import Operation
from api.schema.asks import Destruction
from api.schema.replies import Job, KeyVersion
from api.state import vault
from api.views.descriptions import moment
from api.views.jobs import started
from keys.errors import KeyStateError
from vault import errors
from vault.columns import Actor, KeyInfo

bp = Blueprint("keys", __name__, url_prefix="/v1/keys")

_ONE = (errors.UnknownKeyVersion, KeyStateError)


@bp.post("/<version_id>/compromise")
@Operation(
    needs=("custody",), gives=Job, status=202, refuses=(*_ONE, errors.KeysetDoesNotTurn, errors.JobRunning)
)  # fmt: skip
def compromise(actor: Actor, version_id: str) -> Response:
    """Start a job that takes everything from under a leaked version, person keys too, and destroys it at once.

    202 with the job, and its address in Location; 409 while one is at work on the keyset.
    """
    return started(vault().compromise_key(actor, version_id))


@bp.post("/<version_id>/disable")
@Operation(needs=("custody",), gives=KeyVersion, refuses=(*_ONE, errors.KeyInUse, errors.KeysetDoesNotTurn))
def disable(actor: Actor, version_id: str) -> Response:
    """Suspend a version that nothing needs: it opens nothing until it is enabled again."""
    return answers.answer(shown(vault().disable_key(actor, version_id)))


@bp.post("/<version_id>/enable")
@Operation(needs=("custody",), gives=KeyVersion, refuses=_ONE)
def enable(actor: Actor, version_id: str) -> Response:
    """Let a suspended version open again."""
    return answers.answer(shown(vault().enable_key(actor, version_id)))


@bp.post("/<version_id>/destroy")
@Operation(
    needs=("custody",), takes=Destruction, optional=True, gives=KeyVersion,
    refuses=(*_ONE, errors.KeyInUse, errors.KeysetDoesNotTurn), example={"wait_seconds": 2_592_000},
)  # fmt: skip
def destroy(actor: Actor, ask: Destruction, version_id: str) -> Response:
    """Plan the destruction of a version that nothing needs; until then it can be called off.

    409 with what still needs it. It is asked again at the time: a version that is needed then stays. Backups need it
    until they are no longer kept, unless they are given up with `forfeit_backups`; the reply says which.
    """
    planned = vault().destroy_key(actor, version_id, ask.wait_seconds, forfeit_backups=ask.forfeit_backups)
    return answers.answer(shown(planned))


@bp.post("/<version_id>/cancel")
@Operation(needs=("custody",), gives=KeyVersion, refuses=_ONE)
def cancel(actor: Actor, version_id: str) -> Response:
    """Call a planned destruction off."""
    return answers.answer(shown(vault().cancel_destruction(actor, version_id)))


def shown(version: KeyInfo) -> KeyVersion:
    """Return a key version as a reply."""
    return KeyVersion(
        id=version.id,
        state=version.state,  # type: ignore[arg-type] # of keys.keyset.State
        root=version.root,
        created_at=datetime.fromtimestamp(version.created_at, UTC),
        activated_at=moment(version.activated_at),
        deactivated_at=moment(version.deactivated_at),
        destroy_at=moment(version.destroy_at),
        messages=version.messages,
        max_messages=version.max_messages,
        expires_at=moment(version.expires_at),
        condition=version.condition,  # type: ignore[arg-type]
        needed_by=version.needed_by,
        forfeits=list(version.forfeits),
    )
