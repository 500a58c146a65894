"""Bodies that are not what they should be: each has its error, none is a 500, and nothing of them comes back."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from api.schema import asks
from tests.api.door import Door, loads, problem

CANARY = "canary7531"
MALFORMED, INVALID = (400, "malformed_json"), (422, "invalid_request")
POSTS = (
    "/v1/tokens", "/v1/tokens/column", "/v1/tokens/items", "/v1/tokens/describe", "/v1/tokens/delete", "/v1/reveal",
    "/v1/find", "/v1/apikeys", "/v1/apikeys/key_0/rotate",
)  # fmt: skip
DEEP = 100_000
HUGE = b"9" * 5_000


def bodies() -> Iterator[tuple[str, bytes, set[tuple[int, str]]]]:
    """Yield a name, a body and the answers that are right for it."""
    both = {MALFORMED, INVALID}
    for name, text in {
        "nothing": b"", "space": b" ", "half": b'{"field', "half string": b'"' + CANARY.encode(), "trailing": b"{} {}",
        "single quotes": b"{'field': 1}", "comment": b"{/* x */}", "NaN": b"NaN", "Infinity": b"-Infinity",
        "NUL": b"\x00", "NUL inside": b'{"field": "\x00"}', "control": b'{"field": "\n"}', "BOM": b"\xef\xbb\xbf{}",
        "UTF-16": '{"field": "x"}'.encode("utf-16"), "latin-1": '{"fiéld": 1}'.encode("latin-1"),
        "bad UTF-8 key": b'{"\xff": 1}', "binary": bytes(range(256)), "brackets": b"[" * DEEP, "form": b"field=phone",
    }.items():  # fmt: skip
        yield name, text, both
    for name, text in {
        "null": b"null", "true": b"true", "number": b"1", "huge number": HUGE, "1e400": b"1e400", "string": b'"x"',
        "list": b"[]", "list of objects": b'[{"field":"phone"}]', "brackets closed": b"[" * DEEP + b"]" * DEEP,
        "unknown member": json.dumps({CANARY: CANARY}).encode(), "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    }.items():  # fmt: skip
        yield name, text, {INVALID}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    ("body", "answers"), [case[1:] for case in bodies()], ids=[case[0] for case in bodies()]
)
def test_a_body_that_is_no_request(door: Door, path: str, body: bytes, answers: set[tuple[int, str]]) -> None:
    reply = door.post(path, body)
    assert problem(reply)[:2] in answers
    assert CANARY not in reply.text


def members(kind: type) -> dict[str, bytes]:
    """Return a good value of each member, as JSON."""
    good = {
        "field": '"phone"', "value": '"+8613800138000"', "values": '["+8613800138000"]', "subjects": '["s"]',
        "subject": '"s"', "metadata": "[null]" if kind is asks.NewColumn else "{}",
        "tokens": "[]",
        "purpose": '"service"', "items": "[]", "kind": '"opaque"', "deterministic": "false",
        "scope": '"crm"', "ttl_seconds": "60",
        "source": '"a"', "options": "{}", "keep": "{}", "check": '"valid"', "lookalike": "true", "view": '"masked"',
        "name": '"x"', "operations": '["tokenize"]', "fields": '["phone"]', "expires_in_seconds": "60",
        "overlap_seconds": "60", "tags": '["vip"]', "case": '"2026/7"', "consent": '"c-1"', "roles": "[]",
    }  # fmt: skip
    if kind is asks.Reveal:
        good["metadata"] = "false"
    return {name: good[name].encode() for name in kind.__struct_fields__}  # type: ignore[attr-defined]


KINDS = dict(
    zip(
        POSTS,
        (asks.NewToken, asks.NewColumn, asks.NewItems, asks.TokenList, asks.TokenList, asks.Reveal, asks.Find,
         asks.NewApiKey, asks.Rotation),
        strict=True,
    )
)  # fmt: skip
WRONG = {
    "number": b"5", "fraction": b"1.5", "1e400": b"1e400", "-1e400": b"-1e400", "10**5000": HUGE, "-0": b"-0",
    "true": b"true", "string": f'"{CANARY}"'.encode(), "list": f'["{CANARY}"]'.encode(),
    "object": b'{"%s":{}}' % CANARY.encode(), "lone surrogate": b'"\\ud800%s"' % CANARY.encode(),
    "surrogates swapped": b'"\\udc00\\ud800"', "NUL": b'"\\u0000%s"' % CANARY.encode(),
    "bad UTF-8": b'"\xff\xfe%s"' % CANARY.encode(), "surrogate in UTF-8": b'"\xed\xa0\x80"', "overlong": b'"\xc0\xaf"',
    "deep list": b"[" * DEEP + b"]" * DEEP, "deep object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "list of wrong": b"[1,null,true,[],{},1e3]", "list of huge": b"[" + HUGE + b"]", "list of 1e400": b"[1e400]",
    "list of surrogates": b'["\\ud83d"]', "list of deep": b"[" + b"[" * DEEP + b"]" * DEEP + b"]",
    "null": b"null", "empty": b'""', "long": b'"' + CANARY.encode() * 10_000 + b'"', "bidi": '"\u202e\u2066"'.encode(),
}  # fmt: skip


def encode(parts: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), text) for name, text in parts.items()) + b"}"


@pytest.mark.parametrize(
    ("path", "member"), [(path, member) for path in KINDS for member in members(KINDS[path])]
)
def test_a_member_in_every_wrong_form(door: Door, path: str, member: str) -> None:
    good = members(KINDS[path])
    for name, wrong in WRONG.items():
        reply = door.post(path, encode({**good, member: wrong}))
        assert reply.status_code < 500, name
        if reply.status_code < 400:
            continue
        assert CANARY not in reply.text.lower(), name
        status, code, pointer = problem(reply)
        if (status, code) == INVALID and pointer is not None:
            assert pointer.split("/")[1] in good, name


@pytest.mark.parametrize("member", members(asks.NewToken))
def test_a_member_of_an_item_in_every_wrong_form(door: Door, member: str) -> None:
    for name, wrong in WRONG.items():
        item = encode({**members(asks.NewToken), member: wrong})
        reply = door.post("/v1/tokens/items", b'{"items":[%s]}' % item)
        assert reply.status_code < 500, name
        assert CANARY not in reply.text, name


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_any_depth(door: Door, opening: bytes, closing: bytes) -> None:
    for depth in [*range(1, 1_400, 13), *range(900, 1_010)]:
        nested = opening * depth + b'"\\u0041"' + closing * depth
        reply = door.post("/v1/tokens/column", b'{"field":"text","values":[%s]}' % nested)
        assert reply.status_code in {200, 400}, depth


def test_a_string_of_10_megabytes_is_too_large(door: Door) -> None:
    for body in (
        b'"' + b"x" * 10_000_000 + b'"',
        json.dumps({"field": "text", "value": "x" * 10_000_000}).encode(),
    ):
        assert problem(door.post("/v1/tokens", body))[:2] == (413, "body_too_large")


def test_a_string_of_7_megabytes_is_one_bad_value(door: Door) -> None:
    value = CANARY + "x" * 7_000_000
    reply = door.post("/v1/tokens/column", {"field": "text", "values": [value, "good"]})
    assert [error["index"] for error in loads(reply)["errors"]] == [0]
    assert len(reply.data) < 1_000
    assert problem(door.post("/v1/tokens", {"field": value, "value": "x"}))[1] == "unknown_field"


def test_the_largest_body_and_one_byte_more(app: Flask, door: Door) -> None:
    limit = 8 * 1024 * 1024
    good = b'{"field":"phone","value":"+8613800138000"}'
    assert door.post("/v1/tokens", good.ljust(limit)).status_code == 201
    assert problem(door.post("/v1/tokens", good.ljust(limit + 1)))[:2] == (413, "body_too_large")


def by_hand(app: Flask, key: str, change: dict[str, object]) -> str:
    """Return the code of the problem, or "done", of a request whose environment no client would make."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    environ = EnvironBuilder("/v1/tokens", method="POST", headers=headers).get_environ()
    environ.pop("CONTENT_LENGTH", None)
    pieces, _, _ = run_wsgi_app(app, environ | change)
    return str(json.loads(b"".join(pieces)).get("code", "done"))


def chunked(app: Flask, key: str, body: bytes, **more: object) -> str:
    """Send `body` without a Content-Length."""
    return by_hand(app, key, {"wsgi.input": io.BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked", **more})


def test_a_body_without_a_length(app: Flask, door: Door) -> None:
    good = b'{"field":"phone","value":"+8613800138000"}'
    ended = {"wsgi.input_terminated": True}
    assert chunked(app, door.key, good, **ended) == "done"
    assert chunked(app, door.key, good.ljust(9_000_000), **ended) == "body_too_large"
    assert chunked(app, door.key, good) == "malformed_json"


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonx",
     "multipart/form-data; boundary=x", "application/merge-patch+json", "application/json; charset=utf-8; x=y"],
)  # fmt: skip
def test_only_json_is_read(door: Door, kind: str) -> None:
    reply = door.post("/v1/tokens", b'{"field":"phone","value":"+8613800138000"}', Content_Type=kind)
    assert problem(reply)[:2] == (415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
def test_json_by_its_other_names(door: Door, kind: str) -> None:
    body = b'{"field":"phone","value":"+8613800138000"}'
    assert door.post("/v1/tokens", body, Content_Type=kind).status_code == 201


def test_a_compressed_body_is_not_read(door: Door) -> None:
    body = gzip.compress(b'{"field":"phone","value":"+8613800138000"}')
    reply = door.post("/v1/tokens", body, Content_Encoding="gzip")
    assert problem(reply)[:2] == (415, "unsupported_media_type")


@pytest.mark.parametrize("length", ["x", "-1", "1.5", "9" * 30, "\xb2", "1, 1"])
def test_a_length_that_is_none(app: Flask, door: Door, length: str) -> None:
    environ = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b"{}")}
    assert by_hand(app, door.key, environ) in {"bad_request", "body_too_large"}


DUPLICATES = {
    "top": '{"field":"text","field":"phone","value":"+8613800138000"}',
    "same value": '{"field":"phone","field":"phone","value":"+8613800138000"}',
    "escaped": '{"field":"phone","v\\u0061lue":"+8613800138000","value":"+8613800138000"}',
    "hidden by a colon": '{"field":"phone","field":"phone","value":"+8613800138000","metadata":{"a":"\\u003a"}}',
    "in metadata": '{"field":"phone","value":"+8613800138000","metadata":{"a":"1","a":"2"}}',
    "in keep": '{"field":"phone","value":"+8613800138000","kind":"shaped","keep":{"first":1,"first":2}}',
    "in options": '{"field":"phone","value":"+8613800138000","options":{"region":"CN","region":"CN"}}',
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_a_body_that_can_be_read_in_two_ways(door: Door, name: str) -> None:
    assert problem(door.post("/v1/tokens", DUPLICATES[name].encode())) == (*MALFORMED, None)
    items = f'{{"items":[{{"field":"phone","value":"+8613800138000"}},{DUPLICATES[name]}]}}'
    assert problem(door.post("/v1/tokens/items", items.encode())) == (*MALFORMED, None)


def test_names_that_only_look_doubled(door: Door) -> None:
    for value in ('x","field":"y', "a:b::", 'say "field":', "\\", "a\u2028b", ":"):
        ask = {"field": "text", "value": value, "metadata": {"field": ":", "field ": ":", value: value}}
        for ascii_only in (True, False):
            reply = door.post("/v1/tokens", json.dumps(ask, ensure_ascii=ascii_only, indent=1).encode())
            assert reply.status_code == 201, (value, reply.text)
            opened = {
                "tokens": [loads(reply)["token"]],
                "purpose": "service",
                "view": "plain",
                "metadata": True,
            }
            seen = loads(door.post("/v1/reveal", opened))
            assert (seen["values"], seen["metadata"]) == ([value], [ask["metadata"]])
