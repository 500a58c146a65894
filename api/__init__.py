"""The HTTP door: one Flask application over one vault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask, Response

    from api.config import Settings
    from api.state import State
    from vault.service import Vault

_PROBES = frozenset({"/livez", "/readyz", "/metrics"})


def create_app(
    settings: Settings, vault: Vault | None = None, clock: Callable[[], float] = time.time
) -> Flask:
    """Return the application.

    Args:
        vault: opened from the settings if it is not given.
        clock: seconds since 1970 (UTC); says whether an API key has expired.
    """
    from flask import Flask  # here, for most processes of ours serve nothing over HTTP

    from api import gate, problems, requestline
    from api.state import EXTENSION
    from api.views import BLUEPRINTS
    from api.visit import Visit

    app = Flask("strongroom", static_folder=None, template_folder=None)
    app.request_class = Visit
    app.logger.disabled = True  # Flask's own log repeats paths and messages
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # a path means what it says; nothing is redirected
    app.url_map.converters["path"] = requestline.AnyPath
    state = app.extensions[EXTENSION] = _state(settings, vault, clock)
    app.before_request(requestline.check)
    app.before_request(gate.check)
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
    from api.wiring import open_directory

    if vault is None:
        from api.wiring import open_vault

        vault = open_vault(settings)
    log, metrics = RequestLog(settings.log_level), Metrics(settings.metrics_dir)
    callers = Callers(vault.find_api_key, open_directory(settings, vault), settings.client_certificates)
    return State(settings, vault, callers, log, metrics, clock)


def _finisher(state: State) -> Callable[[Response], Response]:
    """Return what every reply passes last: headers, numbers and one line in the log."""
    from api.visit import visit

    def finish(response: Response) -> Response:
        asked, headers, status = visit(), response.headers, response.status_code
        headers["X-Request-Id"] = asked.id
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cache-Control"] = "no-store"
        route, method = "unknown", "any"  # a caller's own words would name series
        if asked.url_rule is not None:
            route, method = asked.url_rule.rule, asked.method
        seconds = time.monotonic() - asked.started
        state.metrics.request(route, method, status, seconds)
        write = state.log.quiet if route in _PROBES else state.log.request
        write(method=method, route=route, status=status, ms=round(seconds * 1000, 2), **asked.facts())
        return response

    return finish
