"""For probes, scrapers and readers: up, ready, what it did, what it offers; no API key needed."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, openapi
from api.backupmetrics import backup_gauges
from api.metrics import CONTENT_TYPE, audit_gauges, hashing_gauges, key_gauges
from api.operations import Operation
from api.schema.replies import Health
from api.state import State, state
from vault.errors import VaultError
from vault.gauging import Numbers
from vault.passwords.hasher import Load
from vault.recovery.standing import Standing

HELD = "held"  # keys in memory, whose root does not answer
UNAVAILABLE = "unavailable"  # the hasher: all but passwords goes on

bp = Blueprint("health", __name__)


@bp.get("/livez")
@Operation(gives=Health)
def live() -> Response:
    """Say that the process is up."""
    return answers.answer(Health("ok"))


@bp.get("/readyz")
@Operation(gives=Health, unready=True)
def ready() -> Response:
    """Say whether requests should come here: 503 while a part is missing or the process is about to stop.

    `degraded` while a root key does not answer and the keys held in memory serve until their lease ends, and while
    passwords cannot be hashed, or backups are missing or late: everything else goes on.
    """
    here = state()
    checks = here.vault.ready()
    checks["hashing"] = UNAVAILABLE if _hashing(here) is None else "ok"
    if here.draining:
        checks["process"] = "draining"
    words, standing = set(checks.values()), _backups(here)
    ready, well = words <= {"ok", HELD, UNAVAILABLE}, words == {"ok"}
    if standing is not None and standing.state is not None:
        checks["backups"] = standing.state
        well &= standing.state == "ok"
    reply = Health("ok" if well else "degraded" if ready else "unready", checks)
    if "backups" in checks and standing is not None:
        reply.drilled_seconds = standing.drilled
    return answers.answer(reply, 200 if ready else 503)


@bp.get("/metrics")
@Operation(gives="text/plain")
def metrics() -> Response:
    """Give the numbers in the text format of Prometheus."""
    here = state()
    gauges = key_gauges(here.vault.lease_left(), here.vault.root_states())
    text = here.metrics.text() + gauges + hashing_gauges(_hashing(here)) + audit_gauges(_audit(here))
    text += backup_gauges(_backups(here))
    return Response(text, content_type=CONTENT_TYPE)


def _hashing(here: State) -> Load | None:
    """Return how busy the hasher is; None if it cannot say."""
    try:
        return here.vault.hashing_load()
    except VaultError:
        return None


def _audit(here: State) -> Numbers | None:
    """Return how the audit stands; None if that cannot be read."""
    try:
        return here.vault.audit_numbers()
    except VaultError:
        return None


def _backups(here: State) -> Standing | None:
    """Return how backups stand; None if that cannot be read."""
    try:
        return here.vault.backup_standing()
    except VaultError:
        return None


@bp.get("/openapi.json")
@Operation(gives="application/json")
def document() -> Response:
    """Describe all of this (OpenAPI 3.1)."""
    return Response(openapi.encoded(), mimetype="application/json")
