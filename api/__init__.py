"""The HTTP door: one Flask application over one vault."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from api.config import Settings
    from api.state import State
    from vault.service import Vault

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROBES = frozenset({"/livez", "/readyz", "/metrics"})


def create_app(
    settings: Settings, vault: Vault | None = None, clock: Callable[[], float] = time.time
) -> Flask:
    """Return the application.

    Args:
        vault: opened from the settings if it is not given.
        clock: seconds since 1970 (UTC); says whether an API key has expired.
    """
    from api import problems
    from api.state import EXTENSION
    from api.views import BLUEPRINTS

    app = Flask("strongroom", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # a path means what it says; nothing is redirected
    state = app.extensions[EXTENSION] = _state(settings, vault, clock)
    app.before_request(_begin)
    app.after_request(_finisher(state))
    problems.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _state(settings: Settings, vault: Vault | None, clock: Callable[[], float]) -> State:
    from api.auth import Callers
    from api.logs import RequestLog
    from api.metrics import Metrics
    from api.state import State

    if vault is None:
        from api.wiring import open_vault

        vault = open_vault(settings)
    log, metrics = RequestLog(settings.log_level), Metrics(settings.metrics_dir)
    return State(settings, vault, Callers(vault.find_api_key), log, metrics, clock)


def _begin() -> None:
    """Note the time (time.monotonic, seconds) and the request's name: the caller's, if it has our form."""
    g.started = time.monotonic()
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else os.urandom(12).hex()


def _finisher(state: State) -> Callable[[Response], Response]:
    """Return what every reply passes last: headers, numbers and one line in the log."""

    def finish(response: Response) -> Response:
        headers, rule = response.headers, request.url_rule
        headers["X-Request-Id"] = g.request_id
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cache-Control"] = "no-store"
        route = rule.rule if rule is not None else "unknown"
        method = request.method if rule is not None else "any"  # else a caller could name series
        seconds = time.monotonic() - g.started
        state.metrics.request(route, method, response.status_code, seconds)
        write = state.log.quiet if route in _PROBES else state.log.request
        facts = {
            "method": method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 2),
        }
        write(request_id=g.request_id, **facts, **_whom())
        return response

    return finish


def _whom() -> dict[str, object]:
    """Return who asked for how much, as far as the request came."""
    known: dict[str, object] = {}
    if "actor" in g:
        known["key"] = g.actor.name
    if "asked" in g:
        known["items"], known["refused"] = g.asked, g.refused
    return known
