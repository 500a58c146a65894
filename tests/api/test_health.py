"""For probes and scrapers: up, ready, draining, and numbers of ours only; and a log that holds nothing else."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from api import create_app
from api.config import Settings
from api.logs import RequestLog
from api.metrics import Metrics
from api.state import EXTENSION
from tests.api.door import Door, loads
from vault.errors import HashingUnavailable
from vault.granting import Made
from vault.passwords.hasher import Load
from vault.service import Vault


def test_up_and_ready_without_a_key(app: Flask) -> None:
    client = Client(app)
    assert json.loads(client.get("/livez").data) == {"status": "ok", "checks": {}}
    reply = client.get("/readyz")
    assert reply.status_code == 200
    assert json.loads(reply.data) == {
        "status": "ok",
        "checks": {"database": "ok", "schema": "ok", "keys": "ok", "audit": "ok", "hashing": "ok"},
    }


def test_a_part_that_fails_makes_it_unready(
    app: Flask, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "ready", lambda: {"database": "ok", "keys": "unwrap_failed"})
    reply = Client(app).get("/readyz")
    assert (reply.status_code, json.loads(reply.data)["checks"]["keys"]) == (503, "unwrap_failed")


def test_without_hashes_all_else_goes_on(app: Flask, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Load:
        raise HashingUnavailable

    monkeypatch.setattr(vault, "hashing_load", away)
    reply = Client(app).get("/readyz")
    assert (reply.status_code, json.loads(reply.data)["status"]) == (200, "degraded")
    assert json.loads(reply.data)["checks"]["hashing"] == "unavailable"
    assert "strongroom_hasher_up 0.0" in Client(app).get("/metrics").text


def test_a_draining_process_is_alive_but_not_ready(settings: Settings, vault: Vault) -> None:
    app = create_app(settings, vault)
    app.extensions[EXTENSION].draining = True
    reply = Client(app).get("/readyz")
    assert (reply.status_code, json.loads(reply.data)["status"]) == (503, "unready")
    assert Client(app).get("/livez").status_code == 200


def test_the_numbers_count_requests_and_values(
    settings: Settings, vault: Vault, made: dict[Any, Made]
) -> None:
    door = Door(create_app(settings, vault), made["live"][1])
    tokens = loads(
        door.post("/v1/tokens/column", {"field": "phone", "values": ["13800138000", "x", "13800138001"]})
    )
    door.post("/v1/reveal", {"tokens": tokens["tokens"], "purpose": "service"})
    door.get("/v1/canary7531")
    door.send("CANARY7531", "/v1/tokens")
    text = door.get("/metrics").text
    for line in (
        'strongroom_values_total{field="phone",operation="tokenize",result="ok"} 2.0',
        'strongroom_values_total{field="phone",operation="tokenize",result="refused"} 1.0',
        'strongroom_values_total{field="any",operation="reveal",result="ok"} 2.0',
        'strongroom_requests_total{method="POST",route="/v1/tokens/column",status="200"} 1.0',
        'strongroom_requests_total{method="any",route="unknown",status="404"} 1.0',
        'strongroom_requests_total{method="any",route="unknown",status="405"} 1.0',
        'strongroom_request_seconds_count{route="/v1/reveal"} 1.0',
    ):
        assert line in text.splitlines()
    assert "canary" not in text.lower()


def test_several_processes_answer_for_all(tmp_path: Path) -> None:
    one = "import sys; from pathlib import Path; from api.metrics import Metrics; m = Metrics(Path(sys.argv[1]))"
    for _ in range(2):
        count = f"{one}; m.request('/v1/fields', 'GET', 200, 0.1); m.values('find', 'phone', 'ok', 7)"
        subprocess.run([sys.executable, "-c", count, str(tmp_path)], check=True)
    shown = subprocess.run(
        [sys.executable, "-c", f"{one}; print(m.text().decode())", str(tmp_path)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert 'strongroom_values_total{field="phone",operation="find",result="ok"} 14.0' in shown
    assert 'strongroom_requests_total{method="GET",route="/v1/fields",status="200"} 2.0' in shown
    assert 'strongroom_request_seconds_count{route="/v1/fields"} 2.0' in shown


def test_a_process_alone_needs_no_directory() -> None:
    metrics = Metrics()
    metrics.values("find", "phone", "ok", 0)
    assert b'operation="find"' not in metrics.text()


def disguises(canary: str) -> list[str]:
    raw = canary.encode()
    return [canary, raw.hex(), base64.b64encode(raw).decode().rstrip("="), urllib.parse.quote(canary)]


def test_a_line_a_request_and_nothing_of_the_caller_in_it(
    door: Door, made: dict[Any, Made], capfd: pytest.CaptureFixture[str]
) -> None:
    value, subject = "canary-value-7531 张三丰", "canary-subject-7531"
    ask = {"field": "text", "value": value, "subject": subject, "metadata": {"canary-key": "canary-note"}}
    token = loads(door.post("/v1/tokens", ask, Idempotency_Key="canary-idempotency"))["token"]
    door.post("/v1/reveal", {"tokens": [token], "purpose": "service", "view": "plain", "metadata": True})
    door.get(f"/v1/tokens/{token}")
    door.get("/v1/tokens?canary-query=1")
    door.get(f"/v1/subjects/{subject}/tokens")
    door.get("/canary-path", User_Agent="canary-agent", X_Request_Id="canary request")
    door.post("/v1/tokens", b'{"canary-broken')
    door.get("/v1/fields", Authorization="Bearer sr_live_canary-key")
    door.delete(f"/v1/subjects/{subject}")
    log = capfd.readouterr().err
    lines = [json.loads(line) for line in log.splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/v1/tokens", 201), ("/v1/reveal", 200), ("/v1/tokens/<token>", 200), ("/v1/tokens", 422),
        ("/v1/subjects/<path:subject>/tokens", 200), ("unknown", 404), ("/v1/tokens", 400),
        ("/v1/fields", 401), ("/v1/subjects/<path:subject>", 200),
    ]  # fmt: skip
    assert lines[0]["key"] == made["live"][0].id
    assert (lines[1]["items"], lines[1]["refused"]) == (1, 0)
    allowed = {
        "event",
        "level",
        "timestamp",
        "method",
        "route",
        "status",
        "ms",
        "request_id",
        "key",
        "items",
        "refused",
    }
    assert all(set(line) <= allowed for line in lines)
    for secret in (value, subject, token, made["live"][1], "canary"):
        for form in disguises(secret):
            assert form not in log


def test_probes_do_not_fill_the_log(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        door.get(path)
    assert capfd.readouterr().err == ""


def test_a_log_of_failures_only(capfd: pytest.CaptureFixture[str]) -> None:
    log = RequestLog("warning")
    log.request(route="/v1/tokens")
    log.failure(ValueError("canary7531"), "id-1")
    line = json.loads(capfd.readouterr().err)
    assert (line["event"], line["types"], line["places"]) == ("failure", ["builtins.ValueError"], [])
