"""Replies that are no errors: encoded once, counted, and kept for an Idempotency-Key where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import msgspec
from flask import Response

from api import limits
from api.state import state
from api.visit import visit
from vault.columns import Remember, Reply

T = TypeVar("T")
JSON = "application/json"


def reply(body: object, status: int = 200) -> Reply:
    """Return a Struct as a reply."""
    return Reply(status, msgspec.json.encode(body))


def respond(answer: Reply, headers: Mapping[str, str] | None = None) -> Response:
    """Return a reply as Flask wants it; a kept problem keeps its own media type."""
    mimetype = JSON if answer.status < 400 else "application/problem+json"
    return Response(answer.body, answer.status, headers, mimetype=mimetype)


def answer(body: object, status: int = 200) -> Response:
    """Return a Struct as Flask wants it."""
    return Response(msgspec.json.encode(body), status, mimetype=JSON)


def empty() -> Response:
    """Return a reply without a body (204)."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def remember(render: Callable[[T], Reply]) -> Remember | None:
    """Return what the vault needs to keep this request's reply; None without an Idempotency-Key.

    `render` must ask nothing of Flask: one thread commits for many requests.
    """
    here = visit()
    key = here.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    # A key that reaches other fields asks for something else: another's reply may hold tokens that it must not see.
    reach = "" if here.caller.fields is None else " ".join(sorted(here.caller.fields)) + "\n"
    asked = f"{here.method} {here.path}\n{reach}".encode() + here.body
    return Remember(limits.idempotency_key(key), asked, cast("Callable[[object], Reply]", render))


def count(operation: str, field: str | None, asked: int, refused: int) -> None:
    """Count what a request did, for the log and the metrics.

    Args:
        field: a name that the vault accepted; None where the request names none.
    """
    here = visit()
    here.asked, here.refused = (here.asked or 0) + asked, here.refused + refused
    metrics = state().metrics
    metrics.values(operation, field or "any", "ok", asked - refused)
    metrics.values(operation, field or "any", "refused", refused)
