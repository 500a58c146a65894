"""What may be found and said without values: matches, descriptions, pages, subjects, field types."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.api.door import Door, loads, problem
from vault import fields

PHONE = "+8613800138111"


def test_values_find_their_tokens(door: Door) -> None:
    first, second = door.token(PHONE), door.token(PHONE, deterministic=True)
    body = loads(
        door.post("/v1/find", {"field": "phone", "values": ["138 0013 8111", "nonsense", "13800138112", 5]})
    )
    assert body["matches"] == [[first, second], None, [], None]
    assert [(error["code"], error["pointer"]) for error in body["errors"]] == [
        ("invalid_value", "/values/1"),
        ("invalid_value", "/values/3"),
    ]


def test_a_scope_is_found_only_by_name(door: Door) -> None:
    token = door.token("13800138222", deterministic=True, scope="crm")
    ask = {"field": "phone", "values": ["13800138222"]}
    assert loads(door.post("/v1/find", ask))["matches"] == [[]]
    assert loads(door.post("/v1/find", {**ask, "scope": "crm"}))["matches"] == [[token]]


def test_a_field_without_index_cannot_be_found(door: Door) -> None:
    assert problem(door.post("/v1/find", {"field": "text", "values": ["x"]})) == (
        422,
        "not_searchable",
        "/field",
    )
    assert problem(door.post("/v1/find", {"field": "pin", "values": ["x"]})) == (
        422,
        "never_stored",
        "/field",
    )


def test_a_description_says_everything_but_the_value(door: Door) -> None:
    token = door.token(PHONE, subject="s-1", metadata={"k": "v"}, ttl_seconds=60, tags=["vip", "a.1"])
    found = loads(door.get(f"/v1/tokens/{token}"))
    assert datetime.fromisoformat(found.pop("created_at")) < datetime.fromisoformat(found.pop("expires_at"))
    assert len(found.pop("key")) == 16
    assert found == {
        "token": token, "field": "phone", "kind": "opaque", "deterministic": False, "scope": "phone",
        "source": None, "subject": True, "metadata": True, "class": "C2",
        "tags": ["a.1", "vip"],
    }  # fmt: skip
    body = loads(door.post("/v1/tokens/describe", {"tokens": [token, "nonsense"]}))
    assert [one and one["token"] for one in body["tokens"]] == [token, None]
    assert [error["pointer"] for error in body["errors"]] == ["/tokens/1"]


def test_pages_hold_every_token_once(door: Door) -> None:
    made = {door.token(f"1380013{at:04}", subject="pages", source="page") for at in range(25)}
    seen: list[str] = []
    cursor, pages = "", 0
    while pages < 10:
        body = loads(door.get(f"/v1/subjects/pages/tokens?limit=10{cursor}"))
        seen += [one["token"] for one in body["tokens"]]
        pages += 1
        if body["next_cursor"] is None:
            break
        cursor = f"&cursor={body['next_cursor']}"
    assert pages == 3
    assert sorted(seen) == sorted(made)
    listed = loads(door.get("/v1/tokens?field=phone&limit=1000"))["tokens"]
    assert made <= {one["token"] for one in listed}
    assert {one["field"] for one in listed} == {"phone"}


def test_what_a_query_may_not_say(door: Door) -> None:
    for query in ("limit=0", "limit=1001", "limit=x", "limit=1e400", "limit=" + "9" * 5000, "colour=red",
                  "limit=1&limit=2", "cursor=nonsense", "cursor=" + "x" * 2000, "%ff=1"):  # fmt: skip
        reply = door.get(f"/v1/tokens?{query}")
        assert problem(reply)[:2] == (422, "invalid_request"), query
    assert problem(door.get("/v1/tokens?field=salary"))[:2] == (422, "unknown_field")
    assert "limit" in loads(door.get("/v1/tokens?limit=0"))["detail"]


def test_an_erased_subject_is_gone_with_its_tokens(door: Door) -> None:
    subject = "客户/17 ö?"
    path = "/v1/subjects/%E5%AE%A2%E6%88%B7%2F17%20%C3%B6%3F"
    token, other = door.token(subject=subject), door.token()
    assert [one["token"] for one in loads(door.get(f"{path}/tokens"))["tokens"]] == [token]
    body = loads(door.delete(path))
    assert (body["subject_erased"], body["tokens"], len(body["erasure"])) == (True, 1, 32)
    assert problem(door.get(f"/v1/tokens/{token}"))[:2] == (404, "unknown_token")
    assert door.get(f"/v1/tokens/{other}").status_code == 200
    assert problem(door.delete(path)) == (404, "unknown_subject", None)


def test_the_path_of_a_subjects_tokens_erases_nobody(door: Door) -> None:
    door.token(subject="bob")
    assert problem(door.delete("/v1/subjects/bob/tokens")) == (404, "unknown_subject", None)
    assert len(loads(door.get("/v1/subjects/bob/tokens"))["tokens"]) == 1


def test_every_field_type_is_listed_with_its_mask(door: Door) -> None:
    body = loads(door.get("/v1/fields"))
    assert [one["name"] for one in body["fields"]] == list(fields.names())
    card = body["fields"][0]
    assert card == {
        "name": "bank_card", "class": "C2", "sample": "6212 3456 7890 1265", "masked": "621234******1265",
        "lookup": True, "check_digit": True, "shapable": True, "options": ["luhn"],
    }  # fmt: skip
    assert {"cvv", "pin", "track_data"} <= set(body["never_stored"])


def test_a_field_that_the_key_does_not_reach(door: Door, narrow: Callable[..., Door]) -> None:
    token = door.token("li@example.com", "email")
    some = narrow("tokenize", "find", "list", "describe", fields=["phone"])
    refused = (403, "forbidden_field", "/field")
    assert problem(some.post("/v1/tokens", {"field": "email", "value": "a@example.com"})) == refused
    assert problem(some.post("/v1/tokens/column", {"field": "email", "values": ["a@example.com"]})) == refused
    assert problem(some.post("/v1/find", {"field": "email", "values": ["li@example.com"]})) == refused
    assert problem(some.get("/v1/tokens?field=email")) == refused
    assert problem(some.get(f"/v1/tokens/{token}")) == (403, "forbidden_field", None)
    assert {one["field"] for one in loads(some.get("/v1/tokens"))["tokens"]} <= {"phone"}
    assert problem(some.post("/v1/tokens", {"field": "salary", "value": "1"})) == (
        422,
        "unknown_field",
        "/field",
    )
    body = loads(
        some.post(
            "/v1/tokens/items",
            {"items": [{"field": "email", "value": "a@example.com"}, {"field": "phone", "value": PHONE}]},
        )
    )
    assert [token is None for token in body["tokens"]] == [True, False]
    assert [(error["code"], error["pointer"]) for error in body["errors"]] == [
        ("forbidden_field", "/items/0/value")
    ]


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/subjects/mixed/tokens"])
def test_a_page_shows_a_narrow_key_nothing_of_other_fields(
    door: Door, narrow: Callable[..., Door], path: str
) -> None:
    """Nor does its cursor, which holds a token; and no page is short for tokens that were left out."""
    for at in range(12):
        door.token(f"li{at}@example.com", "email", subject="mixed")
        door.token(f"+86138001382{at:02}", subject="mixed")
    some = narrow("list", fields=["email"])
    whole = {one["token"]: one["field"] for one in loads(door.get(f"{path}?limit=1000"))["tokens"]}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = loads(some.get(f"{path}?limit=5{cursor and '&cursor=' + cursor}"))
        seen += [one["token"] for one in body["tokens"]]
        cursor = body["next_cursor"]
        if cursor is not None:
            assert len(body["tokens"]) == 5
            last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            assert last[3:].hex() == seen[-1][12:]
    assert seen == [token for token, field in whole.items() if field == "email"]
