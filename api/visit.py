"""The request as our views see it: Flask's, and what is known of it besides."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any, cast

from flask import Request, request

if TYPE_CHECKING:
    from api.callers.caller import Caller
    from vault.columns import Actor

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Visit(Request):
    """One request.

    Attributes:
        started: time.monotonic, seconds.
        id: names the request in log and audit: the caller's own name if it has our form, else 24 hex digits.
        caller, actor: who asks, once that is known.
        why: the code of what is wrong with what the caller showed; "" for nothing.
        body: the bytes that were read, once `complete`.
        asked, refused: values or tokens, once the vault has answered.
    """

    caller: Caller
    actor: Actor | None = None
    why: str = ""
    body: bytes = b""
    complete: bool = False
    asked: int | None = None
    refused: int = 0

    def __init__(self, environ: dict[str, Any], populate_request: bool = True, shallow: bool = False) -> None:
        super().__init__(environ, populate_request, shallow)
        self.started = time.monotonic()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        self.id = given if _ID.fullmatch(given) else os.urandom(12).hex()

    def facts(self) -> dict[str, object]:
        """Return who asked for how much, as far as the request came."""
        known: dict[str, object] = {"request_id": self.id}
        if self.actor is not None:
            known["key"] = self.actor.name
        if self.why:
            known["why"] = self.why
        if self.asked is not None:
            known["items"], known["refused"] = self.asked, self.refused
        return known


def visit() -> Visit:
    """Return the current request."""
    return cast("Visit", request._get_current_object())  # type: ignore[attr-defined]
