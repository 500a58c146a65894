"""For probes, scrapers and readers: up, ready, what it did, what it offers; no API key needed."""

from __future__ import annotations

from flask import Blueprint, Response

from api import answers, openapi
from api.metrics import CONTENT_TYPE
from api.operations import Operation
from api.schema.replies import Health
from api.state import state

bp = Blueprint("health", __name__)


@bp.get("/livez")
@Operation(gives=Health)
def live() -> Response:
    """Say that the process is up."""
    return answers.answer(Health("ok"))


@bp.get("/readyz")
@Operation(gives=Health, unready=True)
def ready() -> Response:
    """Say whether requests should come here: 503 while a part is missing or the process is about to stop."""
    here = state()
    checks = here.vault.ready()
    if here.draining:
        checks["process"] = "draining"
    good = all(word == "ok" for word in checks.values())
    return answers.answer(Health("ok" if good else "unready", checks), 200 if good else 503)


@bp.get("/metrics")
@Operation(gives="text/plain")
def metrics() -> Response:
    """Give the numbers in the text format of Prometheus."""
    return Response(state().metrics.text(), content_type=CONTENT_TYPE)


@bp.get("/openapi.json")
@Operation(gives="application/json")
def document() -> Response:
    """Describe all of this (OpenAPI 3.1)."""
    return Response(openapi.encoded(), mimetype="application/json")
