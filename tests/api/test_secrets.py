"""What a caller sends is nowhere to be read but in a reply that gives it back: not in the database, nor the log."""

from __future__ import annotations

import base64
import urllib.parse
from typing import Any

import pytest

from api.config import Settings
from tests.api.door import Door, loads
from vault.granting import Made

VALUES = {
    "text": "canary-text 7531 张三丰的秘密",
    "email": "canary-mail-7531@example.com",
    "person_name": "坎娜丽",
    "bank_card": "6212345678901265",
    "phone": "+8613800137531",
    "login_name": "canary_login_7531",
}
SUBJECT, NOTE, ONCE = "canary-subject-7531", "canary-note-7531", "canary-once-7531"


def forms(secret: str) -> set[bytes]:
    """Return the ways in which a text may lie somewhere: raw, hex, base64 at any offset, URL-encoded, UTF-16."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"x" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)}
    urlsafe = {base64.urlsafe_b64encode(b"x" * shift + raw)[4 if shift else 0 : -4] for shift in range(3)}
    quoted = {urllib.parse.quote(secret).encode(), urllib.parse.quote_plus(secret, safe="").encode()}
    hexed = {raw.hex().encode(), raw.hex().upper().encode()}
    return {raw, secret.encode("utf-16-le"), *encoded, *urlsafe, *quoted, *hexed}


def test_nothing_that_was_sent_lies_about(
    door: Door, settings: Settings, made: dict[Any, Made], capfd: pytest.CaptureFixture[str]
) -> None:
    tokens = []
    for field, value in VALUES.items():
        ask = {
            "field": field,
            "value": value,
            "subject": SUBJECT,
            "metadata": {"note": NOTE},
            "kind": "opaque",
        }
        tokens.append(loads(door.post("/v1/tokens", ask, Idempotency_Key=f"{ONCE}-{field}"))["token"])
        door.post(
            "/v1/tokens/column",
            {"field": field, "values": [value, "x" * 70_000], "subjects": [SUBJECT, None]},
        )
        door.post("/v1/find", {"field": field, "values": [value]})
        door.post("/v1/tokens", {"field": "iban", "value": value})
    door.post("/v1/reveal", {"tokens": tokens, "purpose": "service", "view": "plain", "metadata": True})
    key = loads(
        door.post("/v1/apikeys", {"name": "x", "operations": ["find"]}, Idempotency_Key=f"{ONCE}-key")
    )["key"]
    door.get(f"/v1/subjects/{SUBJECT}/tokens")
    log = capfd.readouterr().err.encode()
    files = [path for path in settings.root_key_file.parent.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"vault.db", "vault.db-wal"}
    places = {path.name: path.read_bytes() for path in files} | {"log": log}
    for secret in (*VALUES.values(), SUBJECT, NOTE, ONCE, key, made["live"][1]):
        for form in forms(secret):
            assert not [name for name, content in places.items() if form in content], form


def test_a_subject_may_be_forgotten_and_the_log_with_it_says_nothing(
    door: Door, capfd: pytest.CaptureFixture[str]
) -> None:
    door.token("canary text", "text", subject=SUBJECT)
    door.delete(f"/v1/subjects/{SUBJECT}")
    assert "canary" not in capfd.readouterr().err
