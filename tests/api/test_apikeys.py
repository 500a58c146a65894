"""API keys over HTTP: made, listed, replaced, revoked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.api.door import Clock, Door, loads, problem
from vault.columns import OPERATIONS


def test_a_keys_text_is_shown_once(door: Door) -> None:
    made = loads(
        door.post("/v1/apikeys", {"name": "shop", "operations": ["find", "tokenize"], "fields": ["phone"]})
    )
    assert made["key"].startswith("sr_live_")
    assert (made["operations"], made["fields"], made["mode"]) == (["tokenize", "find"], ["phone"], "live")
    listed = loads(door.get("/v1/apikeys"))["apikeys"]
    (same,) = [one for one in listed if one["id"] == made["id"]]
    assert same == {name: made[name] for name in made if name != "key"}
    assert made["key"] not in door.get("/v1/apikeys").text


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"operations": []}, "invalid_request", "/operations"),
        ({"operations": ["tokenize", "fly"]}, "invalid_request", "/operations/1"),
        ({"fields": []}, "invalid_request", "/fields"),
        ({"fields": ["phone", "salary"]}, "unknown_field", "/fields/1"),
        ({"fields": ["cvv"]}, "never_stored", "/fields/0"),
        ({"name": ""}, "invalid_request", "/name"),
        ({"name": "new\nline"}, "invalid_request", "/name"),
        ({"name": "x" * 65}, "invalid_request", "/name"),
        ({"expires_in_seconds": 0}, "invalid_request", "/expires_in_seconds"),
        ({"expires_in_seconds": 315_360_001}, "invalid_request", "/expires_in_seconds"),
    ],
)
def test_what_a_new_key_may_not_be(door: Door, change: dict[str, object], code: str, pointer: str) -> None:
    reply = door.post("/v1/apikeys", {"name": "shop", "operations": ["tokenize"], **change})
    assert problem(reply) == (422, code, pointer)


def test_no_key_makes_one_that_reaches_further(door: Door, narrow: Callable[..., Door]) -> None:
    some = narrow("apikeys", "tokenize", fields=["phone", "email"])
    refused = (403, "forbidden", None)
    assert (
        problem(some.post("/v1/apikeys", {"name": "x", "operations": ["reveal"], "fields": ["phone"]}))
        == refused
    )
    assert problem(some.post("/v1/apikeys", {"name": "x", "operations": ["tokenize"]})) == refused
    assert (
        problem(some.post("/v1/apikeys", {"name": "x", "operations": ["tokenize"], "fields": ["iban"]}))
        == refused
    )
    less = {"name": "x", "operations": ["tokenize"], "fields": ["phone"]}
    assert some.post("/v1/apikeys", less).status_code == 201
    (strong,) = [one for one in loads(door.get("/v1/apikeys"))["apikeys"] if one["name"] == "bootstrap"]
    assert problem(some.post(f"/v1/apikeys/{strong['id']}/rotate", {})) == refused


def test_no_key_outlives_the_one_that_makes_it(app: Flask, door: Door) -> None:
    short = loads(
        door.post("/v1/apikeys", {"name": "x", "operations": ["apikeys"], "expires_in_seconds": 60})
    )
    for more in ({}, {"expires_in_seconds": 3600}):
        made = loads(
            Door(app, short["key"]).post("/v1/apikeys", {"name": "x", "operations": ["apikeys"], **more})
        )
        assert (made["expires_at"], made["made_by"]) == (short["expires_at"], short["id"])
    turned = loads(Door(app, short["key"]).post(f"/v1/apikeys/{short['id']}/rotate", {}))
    assert turned["expires_at"] == short["expires_at"]
    assert turned["made_by"] == f"{short['id']} {short['id']}"  # whose place it takes, and who rotated that


def test_no_key_gives_a_role_that_it_lacks(door: Door) -> None:
    reply = door.post("/v1/apikeys", {"name": "x", "operations": ["find"], "roles": ["clerk"]})
    assert problem(reply) == (403, "policy_denied", None)
    made = loads(door.post("/v1/apikeys", {"name": "x", "operations": ["find"], "roles": ["everything"]}))
    assert made["roles"] == ["everything"]


def test_both_texts_are_good_during_the_overlap(app: Flask, door: Door, clock: Clock) -> None:
    made = loads(door.post("/v1/apikeys", {"name": "shop", "operations": ["tokenize"]}))
    reply = door.post(f"/v1/apikeys/{made['id']}/rotate", {"overlap_seconds": 3600})
    new = loads(reply)
    assert (reply.status_code, new["operations"]) == (201, ["tokenize"])
    old, fresh = Door(app, made["key"]), Door(app, new["key"])
    assert old.get("/v1/fields").status_code == fresh.get("/v1/fields").status_code == 200
    clock.now += 3601
    assert problem(old.get("/v1/fields"))[0] == 401
    assert fresh.get("/v1/fields").status_code == 200


def test_rotating_needs_no_body(door: Door) -> None:
    made = loads(door.post("/v1/apikeys", {"name": "shop", "operations": ["tokenize"]}))
    assert door.post(f"/v1/apikeys/{made['id']}/rotate").status_code == 201
    path = f"/v1/apikeys/{made['id']}/rotate"
    assert problem(door.post(path, {"overlap_seconds": 2_592_001})) == (
        422,
        "invalid_request",
        "/overlap_seconds",
    )
    assert problem(door.post(path, b"", Content_Type="application/json"))[:2] == (400, "malformed_json")
    assert problem(door.post(path, b"{}", Content_Type="text/plain"))[:2] == (415, "unsupported_media_type")


def test_there_is_nothing_to_do_with_an_unknown_key(door: Door) -> None:
    assert problem(door.delete("/v1/apikeys/key_0")) == (404, "not_found", None)
    assert problem(door.post("/v1/apikeys/key_0/rotate", {})) == (404, "not_found", None)


def test_the_text_does_not_come_twice(door: Door) -> None:
    ask = {"name": "once", "operations": list(OPERATIONS)}
    made = loads(door.post("/v1/apikeys", ask, Idempotency_Key="apikey-once"))
    reply = door.post("/v1/apikeys", ask, Idempotency_Key="apikey-once")
    assert problem(reply) == (409, "shown_once", None)
    assert reply.headers["Idempotency-Replayed"] == "true"
    assert made["key"] not in reply.text
    assert len([one for one in loads(door.get("/v1/apikeys"))["apikeys"] if one["name"] == "once"]) == 1
    path = f"/v1/apikeys/{made['id']}/rotate"
    assert door.post(path, Idempotency_Key="rotate-once").status_code == 201
    assert problem(door.post(path, Idempotency_Key="rotate-once")) == (409, "shown_once", None)
