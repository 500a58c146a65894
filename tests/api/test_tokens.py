"""Values in, tokens out, over HTTP."""

from __future__ import annotations

from tests.api.door import Door, loads

PHONE = "+8613800138000"


def test_one_value_gets_a_token_and_the_place_where_it_is_described(door: Door) -> None:
    reply = door.post("/v1/tokens", {"field": "phone", "value": "138 0013 8000"})
    token = loads(reply)["token"]
    assert reply.status_code == 201
    assert token.startswith("tok_live_")
    assert reply.headers["Location"] == f"/v1/tokens/{token}"
    assert loads(door.get(reply.headers["Location"]))["token"] == token


def test_a_column_keeps_its_order_and_says_what_was_refused(door: Door) -> None:
    reply = door.post("/v1/tokens/column", {"field": "phone", "values": [PHONE, "nonsense", PHONE, 5]})
    body = loads(reply)
    assert reply.status_code == 200
    assert [token is None for token in body["tokens"]] == [False, True, False, True]
    assert [(error["index"], error["code"], error["pointer"]) for error in body["errors"]] == [
        (1, "invalid_value", "/values/1"),
        (3, "invalid_value", "/values/3"),
    ]
