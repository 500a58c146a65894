"""Values in, tokens out, over HTTP: one, a column, mixed items; and tokens deleted."""

from __future__ import annotations

import random

import pytest

from tests.api.door import Door, loads, problem

PHONE = "+8613800138000"
CARD = "6212345678901265"


def test_one_value_gets_a_token_and_the_place_where_it_is_described(door: Door) -> None:
    reply = door.post("/v1/tokens", {"field": "phone", "value": "138 0013 8000"})
    token = loads(reply)["token"]
    assert reply.status_code == 201
    assert token.startswith("tok_live_")
    assert reply.headers["Location"] == f"/v1/tokens/{token}"
    assert loads(door.get(reply.headers["Location"]))["token"] == token


def test_a_shaped_token_has_no_address(door: Door) -> None:
    reply = door.post("/v1/tokens", {"field": "bank_card", "value": CARD, "kind": "shaped"})
    assert reply.status_code == 201
    assert "Location" not in reply.headers
    assert len(loads(reply)["token"]) == len(CARD)


def test_a_bad_value_alone_is_the_requests_own_problem(door: Door) -> None:
    reply = door.post("/v1/tokens", {"field": "bank_card", "value": "4111111111111112"})
    assert problem(reply) == (422, "invalid_value", "/value")


def test_a_column_keeps_its_order_and_says_what_was_refused(door: Door) -> None:
    reply = door.post(
        "/v1/tokens/column", {"field": "phone", "values": [PHONE, "nonsense", PHONE, 5, None, [], {}]}
    )
    body = loads(reply)
    assert reply.status_code == 200
    assert [token is None for token in body["tokens"]] == [False, True, False, True, True, True, True]
    assert [(error["index"], error["code"], error["pointer"]) for error in body["errors"]] == [
        (index, "invalid_value", f"/values/{index}") for index in (1, 3, 4, 5, 6)
    ]


def test_a_column_of_nothing_is_answered_with_nothing(door: Door) -> None:
    assert loads(door.post("/v1/tokens/column", {"field": "phone", "values": []})) == {
        "tokens": [],
        "errors": [],
    }
    assert loads(door.post("/v1/tokens/items", {"items": []})) == {"tokens": [], "errors": []}


def test_mixed_items_come_back_in_order(door: Door) -> None:
    kinds = [("phone", PHONE), ("email", "li.lei@example.com"), ("bank_card", CARD), ("person_name", "李雷")]
    items: list[dict[str, object]] = []
    for at in range(60):
        field, value = random.Random(at).choice(kinds)
        items.append({"field": field, "value": value, "source": f"s{at % 3}", "metadata": {"at": str(at)}})
    items[7]["value"], items[11]["value"] = "nonsense", 11
    body = loads(door.post("/v1/tokens/items", {"items": items}))
    assert [(error["index"], error["pointer"]) for error in body["errors"]] == [
        (7, "/items/7/value"),
        (11, "/items/11/value"),
    ]
    seen = loads(
        door.post(
            "/v1/reveal", {"tokens": body["tokens"], "purpose": "service", "view": "plain", "metadata": True}
        )
    )
    assert [note and note["at"] for note in seen["metadata"]] == [
        None if at in {7, 11} else str(at) for at in range(60)
    ]
    assert seen["values"] == [None if at in {7, 11} else item["value"] for at, item in enumerate(items)]
    described = loads(door.post("/v1/tokens/describe", {"tokens": body["tokens"]}))["tokens"]
    assert [one and one["source"] for one in described] == [
        None if at in {7, 11} else f"s{at % 3}" for at in range(60)
    ]


def test_options_reach_the_vault(door: Door) -> None:
    options = {"deterministic": True, "scope": "crm", "source": "alipay", "ttl_seconds": 60}
    first, again = door.token(PHONE, **options), door.token("138-0013-8000", **options)
    assert first == again != door.token(PHONE, deterministic=True)
    described = loads(door.get(f"/v1/tokens/{first}"))
    assert (described["deterministic"], described["scope"], described["source"]) == (True, "crm", "alipay")
    assert described["expires_at"].endswith("Z")
    kept = {"field": "phone", "value": PHONE, "kind": "shaped", "keep": {"first": 3, "last": 0}}
    assert problem(
        door.post(
            "/v1/tokens", {"field": "iban", "value": "GB82WEST12345698765432", "options": {"luhn": True}}
        )
    )[1] == ("invalid_option")
    assert loads(door.post("/v1/tokens", kept))["token"].startswith(PHONE[:3])
    not_luhn = {"field": "bank_card", "value": "4111111111111112", "options": {"luhn": False}}
    assert door.post("/v1/tokens", not_luhn).status_code == 201


@pytest.mark.parametrize(
    ("options", "code", "pointer"),
    [
        ({"field": "salary"}, "unknown_field", "/field"),
        ({"field": "CVV-2"}, "never_stored", "/field"),
        (
            {"kind": "shaped", "keep": {"first": 6, "last": 4}, "field": "bank_card", "value": CARD},
            "domain_too_small",
            None,
        ),
        ({"kind": "shaped", "field": "email", "value": "a@example.com"}, "not_shapable", None),
        ({"kind": "shaped", "field": "passport", "value": "L898902C3"}, "lookalike_required", None),
        ({"deterministic": True, "field": "text", "value": "x"}, "not_searchable", None),
        ({"kind": "transparent"}, "invalid_request", "/kind"),
        ({"ttl_seconds": 0}, "invalid_request", "/ttl_seconds"),
        ({"ttl_seconds": 3_155_760_001}, "invalid_request", "/ttl_seconds"),
        ({"scope": "Not This"}, "invalid_request", "/scope"),
        ({"scope": "newline\n"}, "invalid_request", "/scope"),
        ({"source": ""}, "invalid_request", "/source"),
        ({"keep": {"first": 9}}, "invalid_request", "/keep/first"),
        ({"keep": {"middle": 1}}, "invalid_request", "/keep"),
        ({"options": {"region": "cn"}}, "invalid_request", "/options/region"),
        ({"subject": ""}, "invalid_request", "/subject"),
        ({"subject": "x" * 129}, "invalid_request", "/subject"),
        ({"subject": "a\u0007b"}, "invalid_request", "/subject"),
        ({"metadata": {"k": 1}}, "invalid_request", "/metadata"),
        ({"metadata": {str(at): "" for at in range(17)}}, "invalid_request", "/metadata"),
        ({"metadata": {"k": "x" * 4096}}, "invalid_request", "/metadata"),
        ({"value": 5}, "invalid_request", "/value"),
        ({"colour": "red"}, "invalid_request", None),
    ],
)
def test_what_a_request_may_not_say(
    door: Door, options: dict[str, object], code: str, pointer: str | None
) -> None:
    found = problem(door.post("/v1/tokens", {"field": "phone", "value": PHONE, **options}))
    assert found[:2] == (422, code)
    if pointer is not None:
        assert found[2] == pointer
    item = {
        "items": [
            {"field": "phone", "value": PHONE, "source": "first"},
            {"field": "phone", "value": PHONE, **options},
        ]
    }
    reply = door.post("/v1/tokens/items", item)
    if "value" not in options or options["value"] != 5:
        assert problem(reply)[:2] == (422, code)
    if pointer is not None and reply.status_code == 422:
        assert problem(reply)[2] == f"/items/1{pointer}"


def test_what_the_vault_refuses_of_an_item_is_pointed_to(door: Door) -> None:
    again, once = {"field": "text", "value": "x", "deterministic": True}, {"field": "phone", "value": PHONE}
    refused = (422, "not_searchable")
    assert problem(door.post("/v1/tokens", again)) == (*refused, "/field")
    assert problem(door.post("/v1/tokens/items", {"items": [again, again]})) == (*refused, "/items/0/field")
    assert problem(door.post("/v1/tokens/items", {"items": [once, again]})) == (*refused, "/items/1/field")


def test_the_columns_beside_the_values_must_fit(door: Door) -> None:
    ask = {"field": "phone", "values": [PHONE, PHONE]}
    assert problem(door.post("/v1/tokens/column", {**ask, "subjects": ["a"]}))[2] == "/subjects"
    assert problem(door.post("/v1/tokens/column", {**ask, "metadata": []}))[2] == "/metadata"
    assert problem(door.post("/v1/tokens/column", {**ask, "subjects": ["a", ""]}))[2] == "/subjects/1"
    assert problem(door.post("/v1/tokens/column", {**ask, "subjects": ["a", 5]}))[2] == "/subjects/1"
    assert (
        problem(door.post("/v1/tokens/column", {**ask, "metadata": [None, {"k": "x" * 4096}]}))[2]
        == "/metadata/1"
    )
    assert (
        problem(door.post("/v1/tokens/column", {**ask, "metadata": [{"k": None}, None]}))[2] == "/metadata/0"
    )


def test_too_many_values_have_their_own_error(door: Door) -> None:
    many = ["x"] * 10_001
    assert problem(door.post("/v1/tokens/column", {"field": "phone", "values": many})) == (
        413,
        "too_many_values",
        "/values",
    )
    items = [{"field": "phone", "value": "x"}] * 10_001
    assert problem(door.post("/v1/tokens/items", {"items": items})) == (413, "too_many_values", "/items")
    for path, more in (
        ("/v1/reveal", {"purpose": "service"}),
        ("/v1/tokens/describe", {}),
        ("/v1/tokens/delete", {}),
    ):
        assert problem(door.post(path, {"tokens": many, **more})) == (413, "too_many_values", "/tokens")
    find = {"field": "phone", "values": many[:1_001]}
    assert problem(door.post("/v1/find", find)) == (413, "too_many_values", "/values")
    assert (
        len(loads(door.post("/v1/tokens/column", {"field": "phone", "values": many[:10_000]}))["errors"])
        == 10_000
    )


def test_a_value_longer_than_65536_bytes_is_an_item_error(door: Door) -> None:
    body = loads(door.post("/v1/tokens/column", {"field": "text", "values": ["好" * 21_846, "good"]}))
    assert [error["code"] for error in body["errors"]] == ["invalid_value"]
    assert body["tokens"][1]


def test_deleted_tokens_are_gone(door: Door) -> None:
    one, two, three = door.token(), door.token(), door.token()
    body = loads(door.post("/v1/tokens/delete", {"tokens": [one, "nonsense", two]}))
    assert body["deleted"] == 2
    assert [(error["code"], error["pointer"]) for error in body["errors"]] == [
        ("malformed_token", "/tokens/1")
    ]
    reply = door.delete(f"/v1/tokens/{three}")
    assert (reply.status_code, reply.data) == (204, b"")
    assert "Content-Type" not in reply.headers
    assert problem(door.delete(f"/v1/tokens/{three}")) == (404, "unknown_token", None)
    assert problem(door.get(f"/v1/tokens/{one}")) == (404, "unknown_token", None)
    assert problem(door.delete("/v1/tokens/nonsense")) == (422, "malformed_token", None)
