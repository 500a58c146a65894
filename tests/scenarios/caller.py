"""A caller of the service over one connection that is kept: what a payment backend's connection pool holds."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.service import Service

GONE = (OSError, http.client.HTTPException)  # what a caller sees of a service that was killed


@dataclass(slots=True)
class Answer:
    """A reply: status, body (decoded where it is JSON), headers, and the bytes that came."""

    status: int
    body: Any
    headers: dict[str, str]
    raw: bytes


@dataclass(slots=True)
class Caller:
    """One API key and one connection to a local port."""

    port: int
    key: str
    seconds: float = 60.0
    connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Send a request, `body` as JSON unless it is bytes; header names with _ for -. Raises what is in GONE."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            self.connection.request(method, path, data, sent)
            reply = self.connection.getresponse()
            raw = reply.read()
        except GONE:
            self.close()
            raise
        known = {name.lower(): text for name, text in reply.getheaders()}
        read = json.loads(raw) if "json" in known.get("content-type", "") else raw
        return Answer(reply.status, read, known, raw)

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def good(self, path: str, body: object, **headers: str) -> Any:
        """Return the body of a reply that must be a good one without refused items."""
        answer = self.post(path, body, **headers)
        assert answer.status in {200, 201}, answer.raw
        assert not answer.body.get("errors"), answer.body["errors"][:3]
        return answer.body

    def token(self, field: str, value: str, **options: object) -> str:
        """Return the token of one value."""
        return str(self.good("/v1/tokens", {"field": field, "value": value, **options})["token"])

    def tokens(self, field: str, values: list[str], **options: object) -> list[str]:
        """Return the tokens of a column."""
        return list(self.good("/v1/tokens/column", {"field": field, "values": values, **options})["tokens"])

    def plain(self, tokens: list[str], **options: object) -> list[str | None]:
        """Return the values of tokens that must all open."""
        ask = {"tokens": tokens, "purpose": "service", "view": "plain", **options}
        return list(self.good("/v1/reveal", ask)["values"])

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@contextmanager
def calling(service: Service, mode: str = "live") -> Iterator[Caller]:
    """Give a caller with the service's first API key of a mode."""
    caller = Caller(service.port, service.keys[mode])
    try:
        yield caller
    finally:
        caller.close()
