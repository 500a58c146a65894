"""What the tests of the HTTP door hold: a key at the door, a clock, and the reading of replies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import Client, TestResponse


@dataclass
class Clock:
    """Seconds since 1970 that a test may move ahead; no two readings are the same."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 0.000_01
        return self.now


class Door:
    """One API key at the door: requests as a caller sends them."""

    def __init__(self, app: Flask, key: str) -> None:
        self.client, self.key = Client(app), key

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Send `body` as JSON, or as it is if it is bytes; header names with _ for -."""
        sent = {
            "Authorization": f"Bearer {self.key}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        data = None
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.open(path, method=method, data=data, headers=sent)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.send("DELETE", path, **headers)

    def token(self, value: str = "+8613800138000", field: str = "phone", **options: object) -> str:
        """Return the token of one value."""
        reply = self.post("/v1/tokens", {"field": field, "value": value, **options})
        assert reply.status_code == 201, reply.get_data(as_text=True)
        return str(loads(reply)["token"])


def loads(reply: TestResponse) -> Any:
    """Return a reply's body."""
    return json.loads(reply.data)


def problem(reply: TestResponse) -> tuple[int, str, str | None]:
    """Return status, code and pointer of a problem, after a look at its form (RFC 9457)."""
    body = loads(reply)
    assert reply.content_type == "application/problem+json"
    assert body["status"] == reply.status_code
    assert body["type"] == f"urn:strongroom:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    return reply.status_code, body["code"], body.get("pointer")
