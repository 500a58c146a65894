"""Tokens in, views of their values out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.door import Clock, Door, loads, problem
from vault.columns import FORMER_PURPOSES, PURPOSES

PHONE = "+8613800138000"


def ask(*tokens: object, **more: object) -> dict[str, object]:
    return {"tokens": list(tokens), "purpose": "service", **more}


def test_masked_is_what_nobody_asked_for(door: Door) -> None:
    body = loads(door.post("/v1/reveal", ask(door.token(PHONE))))
    assert body == {"values": ["+86138****8000"], "errors": []}


def test_plain_gives_the_value_back(door: Door) -> None:
    assert loads(door.post("/v1/reveal", ask(door.token(PHONE), view="plain")))["values"] == [PHONE]


def test_a_purpose_is_not_optional(door: Door) -> None:
    token = door.token()
    assert problem(door.post("/v1/reveal", {"tokens": [token]})) == (422, "invalid_request", "/purpose")
    assert problem(door.post("/v1/reveal", ask(token, purpose="fun"))) == (422, "invalid_request", "/purpose")
    for purpose in sorted(PURPOSES):
        named = ask(token, purpose=purpose, case="2026/17", consent="form-8")
        assert door.post("/v1/reveal", named).status_code == 200
    for former in FORMER_PURPOSES:
        assert door.post("/v1/reveal", ask(token, purpose=former, consent="form-8")).status_code == 200
    bare = problem(door.post("/v1/reveal", ask(token, purpose="legal")))
    assert bare == (422, "case_required", "/case")
    bare = problem(door.post("/v1/reveal", ask(token, purpose="market")))
    assert bare == (422, "consent_required", "/consent")
    assert problem(door.post("/v1/reveal", ask(token, case="two words")))[:2] == (422, "invalid_request")


def test_views_are_bounds_of_the_api_key(door: Door, narrow: Callable[..., Door]) -> None:
    token, other = door.token(PHONE), door.token(PHONE)
    masked = narrow("reveal")
    shown = {view: loads(masked.post("/v1/reveal", ask(token, view=view)))["values"] for view in
             ("masked", "last4", "fingerprint")}  # fmt: skip
    assert (shown["masked"], shown["last4"]) == (["+86138****8000"], ["**********8000"])
    assert shown["fingerprint"] == loads(door.post("/v1/reveal", ask(other, view="fingerprint")))["values"]
    for view in ("full", "plain"):
        assert problem(masked.post("/v1/reveal", ask(token, view=view))) == (403, "forbidden", None)
        assert loads(door.post("/v1/reveal", ask(token, view=view)))["values"] == [PHONE]
    assert problem(door.post("/v1/reveal", ask(token, view="match")))[:2] == (422, "invalid_request")


def test_only_a_persons_own_tokens(door: Door) -> None:
    hers, others = door.token(PHONE, subject="customer-7"), door.token("+8613800138001")
    body = loads(door.post("/v1/reveal", ask(hers, others, subject="customer-7")))
    assert body["values"] == ["+86138****8000", None]
    assert [error["code"] for error in body["errors"]] == ["unknown_token"]
    assert problem(door.post("/v1/reveal", ask(hers, subject="\n"))) == (422, "invalid_request", "/subject")


def test_compare_says_yes_or_no(door: Door, narrow: Callable[..., Door]) -> None:
    token, card = door.token(PHONE), door.token("4111 1111 1111 1111", "bank_card")
    asked = ask(token, token, card, "nonsense", card, 5)
    values = ["138 0013 8000", "13800138001", "4111-1111-1111-1111", PHONE, "no card", PHONE]
    body = loads(door.post("/v1/compare", {**asked, "values": values}))
    assert body["matches"] == [True, False, True, None, None, None]
    assert [(error["index"], error["code"]) for error in body["errors"]] == [
        (3, "malformed_token"), (4, "invalid_value"), (5, "malformed_token"),
    ]  # fmt: skip
    short = problem(door.post("/v1/compare", {**asked, "values": values[:2]}))
    assert short == (422, "invalid_request", "/values")
    body = loads(door.post("/v1/compare", {**ask(token, card), "values": [7, None]}))
    assert [error["code"] for error in body["errors"]] == ["invalid_value"] * 2
    reply = narrow("reveal").post("/v1/compare", {**ask(token), "values": [PHONE]})
    assert problem(reply) == (403, "forbidden", None)
    body = loads(narrow("compare", fields=["phone"]).post("/v1/compare", {**ask(card), "values": ["x"]}))
    assert body["errors"][0]["code"] == "forbidden_field"


def test_each_token_has_its_own_error(door: Door, test_door: Door) -> None:
    one_way = door.token(PHONE, kind="one_way")
    other, gone = test_door.token(), door.token()
    door.delete(f"/v1/tokens/{gone}")
    body = loads(door.post("/v1/reveal", ask(door.token(), "nonsense", other, one_way, gone, 5, None)))
    assert [value is None for value in body["values"]] == [False, True, True, True, True, True, True]
    assert [(error["code"], error["pointer"]) for error in body["errors"]] == [
        ("malformed_token", "/tokens/1"),
        ("wrong_mode", "/tokens/2"),
        ("not_revealable", "/tokens/3"),
        ("unknown_token", "/tokens/4"),
        ("malformed_token", "/tokens/5"),
        ("malformed_token", "/tokens/6"),
    ]


def test_a_shaped_token_opens_with_its_field(door: Door) -> None:
    token = door.token("6212345678901265", "bank_card", kind="shaped")
    assert loads(door.post("/v1/reveal", ask(token, field="bank_card", view="plain")))["values"] == [
        "6212345678901265"
    ]
    assert loads(door.post("/v1/reveal", ask(token)))["errors"][0]["code"] == "malformed_token"
    assert problem(door.post("/v1/reveal", ask(token, field="salary"))) == (422, "unknown_field", "/field")


def test_plain_values_and_metadata_need_their_own_operation(door: Door, narrow: Callable[..., Door]) -> None:
    token = door.token(PHONE, metadata={"note": "vip"})
    masked, plain = narrow("reveal"), narrow("reveal_plain")
    assert masked.post("/v1/reveal", ask(token)).status_code == 200
    assert problem(masked.post("/v1/reveal", ask(token, view="plain"))) == (403, "forbidden", None)
    assert problem(masked.post("/v1/reveal", ask(token, metadata=True))) == (403, "forbidden", None)
    body = loads(plain.post("/v1/reveal", ask(token, view="plain", metadata=True)))
    assert (body["values"], body["metadata"]) == ([PHONE], [{"note": "vip"}])
    assert plain.post("/v1/reveal", ask(token)).status_code == 200
    assert problem(narrow("tokenize").post("/v1/reveal", ask(token))) == (403, "forbidden", None)


def test_a_field_that_the_key_does_not_reach_is_an_item_error(
    door: Door, narrow: Callable[..., Door]
) -> None:
    phone, email = door.token(PHONE), door.token("li@example.com", "email")
    body = loads(narrow("reveal", fields=["phone"]).post("/v1/reveal", ask(phone, email)))
    assert body["values"][0]
    assert [(error["index"], error["code"]) for error in body["errors"]] == [(1, "forbidden_field")]


@pytest.mark.parametrize("key", ["same", "other"])
def test_replies_are_never_kept(door: Door, key: str) -> None:
    token = door.token()
    for _ in range(2):
        reply = door.post("/v1/reveal", ask(token), Idempotency_Key=key)
        assert reply.status_code == 200
        assert "Idempotency-Replayed" not in reply.headers
        door.delete(f"/v1/tokens/{token}")
    assert loads(reply)["errors"][0]["code"] == "unknown_token"


def test_metadata_comes_back_as_it_was(door: Door) -> None:
    metadata = {"渠道": "支付宝", "quote": 'a "b" \\ c', "": "", "colon:": "::"}
    tokens = [door.token(metadata=metadata), door.token()]
    assert loads(door.post("/v1/reveal", ask(*tokens, metadata=True)))["metadata"] == [metadata, None]


def test_an_expired_token_says_so(door: Door, clock: Clock) -> None:
    token = door.token(ttl_seconds=1)
    assert loads(door.post("/v1/reveal", ask(token)))["errors"] == []
    clock.now += 2
    assert loads(door.post("/v1/reveal", ask(token)))["errors"][0]["code"] == "expired_token"
    assert problem(door.get(f"/v1/tokens/{token}")) == (410, "expired_token", None)
