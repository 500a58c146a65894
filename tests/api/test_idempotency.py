"""The same Idempotency-Key with the same request: the first reply again, and nothing done twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.door import Door, loads, problem

PHONE = "+8613800138333"
BODIES = {
    "/v1/tokens": {"field": "phone", "value": PHONE},
    "/v1/tokens/column": {"field": "phone", "values": [PHONE, "nonsense"]},
    "/v1/tokens/items": {"items": [{"field": "phone", "value": PHONE}, {"field": "email", "value": "x"}]},
}


@pytest.mark.parametrize("path", BODIES)
def test_the_first_reply_comes_again(door: Door, path: str) -> None:
    first = door.post(path, BODIES[path], Idempotency_Key=f"once{path}")
    again = door.post(path, BODIES[path], Idempotency_Key=f"once{path}")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (first.status_code, first.data, first.content_type) == (
        again.status_code,
        again.data,
        again.content_type,
    )
    assert first.headers.get("Location") == again.headers.get("Location")
    assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]
    other = door.post(path, BODIES[path], Idempotency_Key=f"twice{path}")
    assert other.data != first.data


def test_a_refused_value_is_refused_again(door: Door) -> None:
    ask = {"field": "phone", "value": "nonsense"}
    first, again = (door.post("/v1/tokens", ask, Idempotency_Key="refused") for _ in range(2))
    assert problem(first) == problem(again) == (422, "invalid_value", "/value")


def test_deleting_twice_counts_once(door: Door) -> None:
    ask = {"tokens": [door.token()]}
    first, again = (door.post("/v1/tokens/delete", ask, Idempotency_Key="delete") for _ in range(2))
    assert loads(first) == loads(again) == {"deleted": 1, "errors": []}
    assert loads(door.post("/v1/tokens/delete", ask))["deleted"] == 0


def test_another_request_under_the_same_key_is_refused(door: Door) -> None:
    door.post("/v1/tokens", BODIES["/v1/tokens"], Idempotency_Key="reused")
    reused = (422, "idempotency_key_reused", None)
    assert (
        problem(door.post("/v1/tokens", {"field": "phone", "value": "13800138334"}, Idempotency_Key="reused"))
        == reused
    )
    assert (
        problem(door.post("/v1/tokens/column", BODIES["/v1/tokens/column"], Idempotency_Key="reused"))
        == reused
    )


def test_the_other_mode_has_keys_of_its_own(door: Door, test_door: Door) -> None:
    one = door.post("/v1/tokens", BODIES["/v1/tokens"], Idempotency_Key="modes")
    other = test_door.post("/v1/tokens", BODIES["/v1/tokens"], Idempotency_Key="modes")
    assert loads(one)["token"] != loads(other)["token"]
    assert "Idempotency-Replayed" not in other.headers


def test_a_reply_does_not_come_again_for_a_key_that_reaches_other_fields(
    door: Door, narrow: Callable[..., Door]
) -> None:
    """It holds tokens of fields that the one may not see, or refusals of fields that the other may."""
    some, same = (narrow("tokenize", fields=["phone"]) for _ in range(2))
    ask = {"items": [{"field": "phone", "value": PHONE}, {"field": "email", "value": "li@example.com"}]}
    for first, second in ((door, some), (some, door)):
        key = f"reach of {first.key[-8:]}"
        assert first.post("/v1/tokens/items", ask, Idempotency_Key=key).status_code == 200
        again = second.post("/v1/tokens/items", ask, Idempotency_Key=key)
        assert problem(again) == (422, "idempotency_key_reused", None)
    replayed = same.post("/v1/tokens/items", ask, Idempotency_Key=f"reach of {some.key[-8:]}")
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert loads(replayed)["errors"][0]["code"] == "forbidden_field"


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "é", "\x7f"])
def test_what_a_key_may_not_be(door: Door, key: str) -> None:
    reply = door.post("/v1/tokens", BODIES["/v1/tokens"], Idempotency_Key=key)
    assert problem(reply)[:2] == (422, "invalid_request")
    assert (
        door.post("/v1/find", {"field": "phone", "values": [PHONE]}, Idempotency_Key=key).status_code == 200
    )


def test_sixteen_at_once_do_it_once(app: Flask, door: Door) -> None:
    def send(_: int) -> TestResponse:
        return Door(app, door.key).post("/v1/tokens", BODIES["/v1/tokens"], Idempotency_Key="at once")

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(send, range(64)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.data for reply in replies}) == 1
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies) == 1


def test_sixteen_at_once_without_a_key_each_do_their_own(app: Flask, door: Door) -> None:
    def send(at: int) -> tuple[str, str]:
        reply = Door(app, door.key).post(
            "/v1/tokens", {"field": "text", "value": f"own {at}"}, X_Request_Id=f"own-{at}"
        )
        assert reply.headers["X-Request-Id"] == f"own-{at}"
        seen = {"tokens": [loads(reply)["token"]], "purpose": "service", "view": "plain"}
        return f"own {at}", loads(Door(app, door.key).post("/v1/reveal", seen))["values"][0]

    with ThreadPoolExecutor(16) as pool:
        assert all(sent == found for sent, found in pool.map(send, range(64)))


def test_a_refusal_under_a_key_names_its_own_request(app: Flask, door: Door) -> None:
    """One thread commits for many, so what is kept must not be taken from whatever request that thread is in."""

    def send(at: int) -> tuple[str, str]:
        ask = {"field": "phone", "value": "nonsense"}
        reply = Door(app, door.key).post(
            "/v1/tokens", ask, Idempotency_Key=f"own-{at}", X_Request_Id=f"own-{at}"
        )
        again = door.post("/v1/tokens", ask, Idempotency_Key=f"own-{at}")
        return loads(reply)["request_id"], loads(again)["request_id"]

    with ThreadPoolExecutor(16) as pool:
        assert all(found == (f"own-{at}",) * 2 for at, found in enumerate(pool.map(send, range(32))))
