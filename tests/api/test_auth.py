"""Who may come in, and how those who may not are told apart from each other: not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from api import auth, create_app
from api.auth import Callers
from api.config import Settings
from tests.api.audit import records
from tests.api.door import Clock, Door, loads, problem
from vault.columns import ApiKeyRecord
from vault.granting import Made
from vault.service import Vault

UNAUTHENTICATED = (401, "unauthenticated", None)


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer sr_live_", "Bearer sr_live_" + "0" * 64, "Basic dXNlcjpwYXNz",
        "sr_live_x", "Bearer sr_prod_" + "0" * 64, "Bearer sr_live_" + "0" * 100_000, "Bearer sr_live_é",
        "Bearer sr_live_\x00",
    ],
)  # fmt: skip
def test_no_good_key(app: Flask, door: Door, header: str) -> None:
    reply = Door(app, "").get("/v1/fields", Authorization=header)
    assert problem(reply) == UNAUTHENTICATED
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_is_read_as_http_has_it(app: Flask, door: Door) -> None:
    assert Door(app, "").get("/v1/fields", Authorization=f"bearer  {door.key} ").status_code == 200


def test_unknown_expired_and_revoked_keys_look_the_same(
    app: Flask, door: Door, narrow: Callable[..., Door], clock: Clock
) -> None:
    expired, revoked = narrow("tokenize", expires_in_seconds=60), narrow("tokenize")
    (record,) = [one for one in keys(door) if one["name"] == "narrow" and one["expires_at"] is None][-1:]
    door.delete(f"/v1/apikeys/{record['id']}")
    clock.now += 61
    bodies = []
    for caller in (Door(app, "sr_live_" + "0" * 64), expired, revoked):
        body = loads(reply := caller.get("/v1/fields"))
        assert problem(reply) == UNAUTHENTICATED
        del body["request_id"]
        bodies.append(body)
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_key_expires_on_the_second(door: Door, narrow: Callable[..., Door], clock: Clock) -> None:
    brief = narrow("tokenize", expires_in_seconds=60)
    clock.now += 59
    assert brief.get("/v1/fields").status_code == 200
    clock.now += 1
    assert problem(brief.get("/v1/fields")) == UNAUTHENTICATED


def test_a_test_key_never_reaches_live_data(door: Door, test_door: Door) -> None:
    token = door.token(subject="both")
    assert test_door.token().startswith("tok_test_")
    assert problem(test_door.get(f"/v1/tokens/{token}")) == (422, "wrong_mode", None)
    assert problem(test_door.delete("/v1/subjects/both")) == (404, "unknown_subject", None)
    assert loads(test_door.post("/v1/find", {"field": "phone", "values": ["+8613800138000"]}))["matches"][
        0
    ] != [token]
    assert {one["mode"] for one in keys(test_door)} == {"test"}


@pytest.mark.parametrize(
    ("operation", "method", "path", "body"),
    [
        ("tokenize", "POST", "/v1/tokens", {"field": "phone", "value": "+8613800138000"}),
        ("tokenize", "POST", "/v1/tokens/column", {"field": "phone", "values": []}),
        ("tokenize", "POST", "/v1/tokens/items", {"items": []}),
        ("reveal", "POST", "/v1/reveal", {"tokens": [], "purpose": "service"}),
        ("find", "POST", "/v1/find", {"field": "phone", "values": []}),
        ("describe", "POST", "/v1/tokens/describe", {"tokens": []}),
        ("describe", "GET", "/v1/tokens/tok_live_" + "0" * 35, None),
        ("list", "GET", "/v1/tokens", None),
        ("list", "GET", "/v1/subjects/s/tokens", None),
        ("delete", "POST", "/v1/tokens/delete", {"tokens": []}),
        ("delete", "DELETE", "/v1/tokens/tok_live_" + "0" * 35, None),
        ("erase", "DELETE", "/v1/subjects/nobody", None),
        ("apikeys", "GET", "/v1/apikeys", None),
        ("apikeys", "POST", "/v1/apikeys", {"name": "x", "operations": ["tokenize"]}),
        ("apikeys", "POST", "/v1/apikeys/key_0/rotate", {}),
        ("apikeys", "DELETE", "/v1/apikeys/key_0", None),
    ],
)
def test_each_way_in_needs_its_operation(
    door: Door,
    narrow: Callable[..., Door],
    settings: Settings,
    operation: str,
    method: str,
    path: str,
    body: object,
) -> None:
    others = [
        one
        for one in auth_operations()
        if one != operation and not (operation == "reveal" and one == "reveal_plain")
    ]
    refused = narrow(*others)
    reply = refused.send(method, path, body, X_Request_Id="audited")
    assert problem(reply) == (403, "forbidden", None)
    last = records(settings.root_key_file.parent / "vault.db")[-1]
    assert (last.operation, last.result, last.request_id) == (operation, "forbidden", "audited")
    allowed = door.send(method, path, body)
    assert allowed.status_code not in {401, 403}


def test_a_refusal_of_an_ended_key_is_audited_and_of_an_unknown_one_not(
    app: Flask, door: Door, narrow: Callable[..., Door], clock: Clock, settings: Settings
) -> None:
    expired = narrow("tokenize", expires_in_seconds=1)
    clock.now += 2
    before = len(records(settings.root_key_file.parent / "vault.db"))
    Door(app, "sr_live_" + "0" * 64).get("/v1/fields")
    assert len(records(settings.root_key_file.parent / "vault.db")) == before
    expired.get("/v1/fields")
    after = records(settings.root_key_file.parent / "vault.db")
    assert (len(after), after[-1].result) == (before + 1, "unauthenticated")


def test_what_is_known_of_a_key_is_believed_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [100.0], []
    record = ApiKeyRecord("key_1", 1, "live", "x", ("tokenize",), ("phone",), 0.0, None, None)

    def look_up(text: str) -> ApiKeyRecord | None:
        asked.append(text)
        return record if text == "known" else None

    monkeypatch.setattr(auth.time, "monotonic", lambda: now[0])
    callers = Callers(look_up)
    for _ in range(3):
        caller = callers.find("known")
        assert caller is not None
        assert (caller.operations, caller.fields) == ({"tokenize"}, {"phone"})
    assert asked == ["known"]
    now[0] += 1.01
    callers.find("known")
    assert asked == ["known"] * 2
    assert callers.find("unknown") is callers.find("unknown") is None
    assert asked[2:] == ["unknown"] * 2
    callers.forget()
    callers.find("known")
    assert asked[-1] == "known"


def test_no_more_keys_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "KEPT_KEYS", 3)
    record = ApiKeyRecord("key_1", 1, "live", "x", (), None, 0.0, None, None)
    callers = Callers(lambda text: record)
    for at in range(10):
        callers.find(str(at))
        assert len(callers._kept) <= 3


def test_a_key_revoked_here_stops_at_once(app: Flask, door: Door, narrow: Callable[..., Door]) -> None:
    other = narrow("tokenize")
    assert other.get("/v1/fields").status_code == 200
    newest = max(keys(door), key=lambda one: one["created_at"] + one["id"])
    for one in keys(door):
        if one["name"] == "narrow":
            door.delete(f"/v1/apikeys/{one['id']}")
    assert newest["name"] == "narrow"
    assert problem(other.get("/v1/fields")) == UNAUTHENTICATED


def test_a_request_that_comes_too_late_writes_nothing(
    settings: Settings, vault: Vault, made: dict[Any, Made]
) -> None:
    late = create_app(settings.model_copy(update={"request_seconds": -1.0}), vault, Clock())
    door = Door(late, made["live"][1])
    reply = door.post("/v1/tokens", {"field": "phone", "value": "+8613800138000"})
    assert problem(reply) == (503, "deadline_exceeded", None)
    assert reply.headers["Retry-After"] == "1"


def keys(door: Door) -> list[dict[str, Any]]:
    return list(loads(door.get("/v1/apikeys"))["apikeys"])


def auth_operations() -> tuple[str, ...]:
    from vault.columns import OPERATIONS

    return OPERATIONS
