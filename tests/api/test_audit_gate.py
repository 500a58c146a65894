"""While no place outside takes the audit's records, every request is refused, and only those."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Blueprint, Flask, Response

from api import answers, create_app
from api.config import Settings
from api.operations import Operation
from api.schema.replies import Health
from tests.api.audit import records
from tests.api.door import Clock, Door, loads, problem
from vault.columns import Actor
from vault.gatekeeping import AuditGate
from vault.resources import Resources
from vault.service import Vault
from vault.store import audithealth

bp = Blueprint("open", __name__)


@bp.get("/v1/still-open")
@Operation(needs=("any",), gives=Health, open=True)
def still_open(actor: Actor) -> Response:
    """Stand for the doors that must open when something is wrong with the audit."""
    return answers.answer(Health("ok"))


@pytest.fixture
def now() -> list[float]:
    """The seconds that the gate counts in."""
    return [0.0]


@pytest.fixture
def kept(settings: Settings, resources: Resources, clock: Clock, now: list[float]) -> Flask:
    """An application whose settings list a sink."""
    gate = AuditGate(resources.database, lambda: now[0])
    app = create_app(settings, Vault(replace(resources, gate=gate)), clock)
    app.register_blueprint(bp)
    return app


@pytest.fixture
def said(resources: Resources, now: list[float]) -> Callable[[str], None]:
    """Says how the places outside are, and lets the gate look."""

    def say(state: str) -> None:
        resources.database.write(
            lambda transaction: audithealth.tell(transaction, audithealth.OUTSIDE, state)
        )
        now[0] += 1

    return say


def test_a_request_is_refused_and_served_again(
    kept: Flask, made: dict[Any, Any], said: Callable[[str], None], settings: Settings
) -> None:
    door = Door(kept, made["live"][1])
    said("ok")
    token = door.token()
    said("audit_unavailable")
    for path in ("/v1/tokens", "/v1/reveal", "/v1/apikeys"):
        reply = door.post(path, {})
        assert problem(reply)[:2] == (503, "audit_unavailable")
        assert reply.headers["Retry-After"] == "1"
    assert problem(door.get("/v1/fields"))[:2] == (503, "audit_unavailable")
    refused = [
        one
        for one in records(settings.root_key_file.parent / "vault.db")
        if one.result == "audit_unavailable"
    ]
    assert {one.operation for one in refused} == {"tokenize", "reveal", "apikeys", "any"}
    said("ok")
    assert door.post("/v1/reveal", {"tokens": [token], "purpose": "service"}).status_code == 200


def test_who_may_not_in_hears_that_first(kept: Flask, said: Callable[[str], None]) -> None:
    said("audit_unavailable")
    assert problem(Door(kept, "sr_live_" + "0" * 43).get("/v1/fields"))[0] == 401


def test_what_mends_it_stays_open(kept: Flask, made: dict[Any, Any], said: Callable[[str], None]) -> None:
    door = Door(kept, made["live"][1])
    said("audit_unavailable")
    assert door.get("/v1/still-open").status_code == 200
    assert door.get("/livez").status_code == 200
    assert door.get("/metrics").status_code == 200


def test_readyz_says_so(kept: Flask, made: dict[Any, Any], said: Callable[[str], None]) -> None:
    door = Door(kept, made["live"][1])
    said("ok")
    assert loads(door.get("/readyz"))["checks"]["audit"] == "ok"
    said("audit_unavailable")
    reply = door.get("/readyz")
    assert (reply.status_code, loads(reply)["status"]) == (503, "unready")
    assert loads(reply)["checks"]["audit"] == "audit_unavailable"


def test_metrics_say_how_each_place_is(kept: Flask, made: dict[Any, Any], resources: Resources) -> None:
    def tell(transaction: Any) -> None:
        audithealth.tell(transaction, "file:/a", "ok")
        audithealth.tell(transaction, "file:/b", "sink_full")

    resources.database.write(tell)
    text = Door(kept, made["live"][1]).get("/metrics").get_data(as_text=True)
    assert 'strongroom_audit_sink_up{sink="file:/a"} 1.0' in text
    assert 'strongroom_audit_sink_up{sink="file:/b"} 0.0' in text
    assert 'strongroom_alarms_total{kind="sweep"} 0.0' in text
    assert "strongroom_audit_unsealed_seconds" in text
    assert 'sink="outside"' not in text


def test_without_a_place_in_the_settings_nothing_is_expected(door: Door) -> None:
    assert loads(door.get("/readyz"))["checks"]["audit"] == "ok"
