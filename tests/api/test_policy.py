"""Policies, approvals, decoys and frozen callers over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from api.config import Settings
from tests.api.audit import records
from tests.api.door import Clock, Door, loads, problem
from vault.governing import Governing

Narrow = Callable[..., Door]
HEAD = """format = 1
[roles.everything]
[[roles.everything.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "tests"
[callers]
"*" = ["everything"]
"""
PROPOSAL = "apr_" + "0" * 16
CALLS = [  # what needs which operation
    *[("policy", "GET", path, None) for path in ("/v1/policy", "/v1/policy/versions", "/v1/policy/0")],
    ("policy", "POST", "/v1/policy/check", {"document": HEAD}),
    ("policy", "POST", "/v1/policy/explain", {"roles": [], "field": "phone", "purpose": "service"}),
    ("policy", "POST", "/v1/policy/difference", {"document": HEAD}),
    ("policy", "POST", "/v1/policy/test", {}),
    ("policy", "POST", "/v1/policy/take", {"document": HEAD, "base_version": 7}),
    *[("approve", "GET", path, None) for path in ("/v1/approvals", f"/v1/approvals/{PROPOSAL}")],
    *[("approve", "POST", f"/v1/approvals/{PROPOSAL}/{verb}", None) for verb in ("approve", "reject")],
    ("decoys", "POST", "/v1/decoys", {"field": "phone"}),
    ("callers", "GET", "/v1/callers/frozen", None),
    ("callers", "POST", "/v1/callers/freeze", {"caller": "key_0", "reason": "left"}),
    ("callers", "POST", "/v1/callers/unfreeze", {"caller": "key_1"}),
]


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """Leave behind what other tests asked for: a process believes for a second what it knows."""
    clock.now += 10


@pytest.mark.parametrize(("operation", "method", "path", "body"), CALLS)
def test_each_call_needs_its_operation(
    narrow: Narrow, operation: str, method: str, path: str, body: object
) -> None:
    others = [one for one in ("policy", "approve", "decoys", "callers", "reveal") if one != operation]
    assert problem(narrow(*others).send(method, path, body))[:2] == (403, "forbidden")
    assert narrow(operation).send(method, path, body).status_code != 403


def test_a_policy_is_proposed_approved_and_taken(narrow: Narrow, settings: Settings) -> None:
    ann, bob = narrow("policy", "approve"), narrow("policy", "approve")
    base = loads(ann.get("/v1/policy"))["version"]
    ask = {"document": HEAD, "base_version": base}
    reply = ann.post("/v1/policy/take", ask)
    assert problem(reply) == (403, "approval_required", None)
    body = loads(reply)
    assert (body["approved"], body["needed"]) == (1, 2)
    assert problem(ann.post(f"/v1/approvals/{body['proposal']}/approve"))[:2] == (403, "self_approval")
    shown = loads(bob.get(f"/v1/approvals/{body['proposal']}"))
    assert (shown["document"], shown["state"], shown["approved"], shown["used_at"]) == (HEAD, "open", 1, None)
    assert loads(bob.post(f"/v1/approvals/{body['proposal']}/approve"))["approved"] == 2
    assert problem(bob.post("/v1/policy/take", ask, Approval=body["proposal"]))[1] == "approval_not_valid"
    reply = ann.post("/v1/policy/take", ask, Approval=body["proposal"])
    assert (reply.status_code, loads(reply)["version"]) == (201, base + 1)
    assert loads(bob.get("/v1/policy"))["document"] == HEAD
    assert problem(ann.post("/v1/policy/take", ask))[:2] == (409, "policy_conflict")
    assert [one["state"] for one in loads(bob.get("/v1/approvals?state=used&limit=1"))["proposals"]] == [
        "used"
    ]
    listed = loads(bob.get("/v1/policy/versions"))["versions"]
    assert (listed[0]["version"], listed[0]["document"]) == (base + 1, "")
    for number in ("999", "9" * 10, "9" * 30, "one", "-1"):
        assert problem(bob.get(f"/v1/policy/{number}"))[:2] == (404, "unknown_policy_version")
    told = [
        one.operation
        for one in records(settings.root_key_file.parent / "vault.db")
        if one.target == body["proposal"]
    ]
    assert told.count("approve") == 2  # one of them refused
    assert {"propose", "use_approval"} <= set(told)


def test_a_bad_document_is_refused_with_its_line(narrow: Narrow) -> None:
    ann = narrow("policy")
    bad = HEAD.replace('operations = ["*"]', 'operations = ["fly"]')
    for path, more in (("check", {}), ("difference", {}), ("test", {}), ("take", {"base_version": 0})):
        reply = ann.post(f"/v1/policy/{path}", {"document": bad, **more})
        assert problem(reply) == (422, "policy_invalid", "/document"), path
        assert loads(reply)["detail"].startswith("line 4: ")
    assert problem(ann.post("/v1/policy/check", {"document": "x" * 65_537}))[:2] == (422, "invalid_request")
    assert problem(ann.post("/v1/policy/take", {"document": HEAD}))[2] == "/base_version"
    assert problem(ann.post("/v1/policy/difference", {}))[:2] == (422, "invalid_request")
    assert problem(ann.post("/v1/policy/difference", {"old": 999, "new": 0}))[1] == "unknown_policy_version"


def test_a_check_a_difference_a_test_and_an_answer(narrow: Narrow) -> None:
    ann = narrow("policy")
    more = HEAD.replace('"full"', '"masked"') + "[bulk]\nlimit = 5\n[roles.idle]\n"
    checked = loads(ann.post("/v1/policy/check", {"document": more}))
    assert [(one["line"], one["text"]) for one in checked["warnings"] if one["line"]] == [
        (13, "[roles.idle]")
    ]
    assert checked["differences"]
    assert loads(ann.post("/v1/policy/difference", {"old": 0, "new": 0}))["differences"] == []
    case = '[[cases]]\ncaller = "key_0"\noperation = "policy"\nexpect = "deny"\n'
    tested = loads(ann.post("/v1/policy/test", {"document": HEAD + case}))
    assert (tested["ok"], [(one["expected"], one["found"]) for one in tested["cases"]]) == (
        False,
        [("deny", "allow")],
    )
    ask = {
        "caller": "oidc:https://login.example#clerk",
        "field": "phone",
        "purpose": "service",
        "view": "plain",
    }
    found = loads(ann.post("/v1/policy/explain", ask))
    assert found["allowed"]
    assert found["remarks"][-1]["verdict"] == "allowed"
    assert found["remarks"][-1]["line"] == found["line"] > 0
    for bad, pointer in (
        ({**ask, "roles": []}, "/caller"), ({**ask, "view": "all"}, "/view"), ({**ask, "at": "2026-11-25"}, "/at"),
        ({**ask, "operation": "fly"}, "/operation"), ({**ask, "network": "here"}, "/network"),
        ({**ask, "own": "yes"}, "/own"), ({**ask, "shoes": 1}, None),
    ):  # fmt: skip
        assert problem(ann.post("/v1/policy/explain", bad)) == (422, "invalid_request", pointer)
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):  # in UTC, of no year that there is
        assert ann.post("/v1/policy/explain", {**ask, "at": at}).status_code == 200


def test_a_decoy_looks_like_any_other_token(door: Door, narrow: Narrow) -> None:
    reply = door.post(
        "/v1/decoys", {"field": "resident_id", "count": 3, "tags": ["vip"], "subjects": [None, "a", "b"]}
    )
    tokens = loads(reply)["tokens"]
    assert (reply.status_code, len(set(tokens))) == (201, 3)
    real = door.token("11010519491231002X", "resident_id", tags=["vip"])
    described = loads(door.post("/v1/tokens/describe", {"tokens": [real, tokens[0]]}))["tokens"]
    apart = {"token", "created_at"}
    one, other = ({name: told[name] for name in told if name not in apart} for told in described)
    assert one == other
    shown = loads(door.post("/v1/reveal", {"tokens": tokens, "purpose": "risk", "view": "full"}))
    assert (shown["errors"], len(shown["values"])) == ([], 3)
    assert {len(value) for value in shown["values"]} == {18}
    given = door.post("/v1/decoys", {"field": "phone", "values": ["a canary", "13800138000"]})
    assert [one["pointer"] for one in loads(given)["errors"]] == ["/values/0"]
    assert "canary" not in given.text
    for bad, pointer in (
        ({"count": 101}, "/count"), ({"count": 0}, "/count"), ({"values": []}, "/values"),
        ({"kind": "one_way"}, "/kind"), ({"deterministic": True}, "/kind"), ({"subjects": ["a", "b"]}, "/subjects"),
    ):  # fmt: skip
        assert problem(door.post("/v1/decoys", {"field": "phone", **bad})) == (
            422,
            "invalid_request",
            pointer,
        )
    assert (
        problem(narrow("decoys", fields=["email"]).post("/v1/decoys", {"field": "phone"}))[1]
        == "forbidden_field"
    )


def test_a_frozen_caller_gets_nothing_until_another_lets_it(
    app: Flask, door: Door, settings: Settings
) -> None:
    made = loads(door.post("/v1/apikeys", {"name": "x", "operations": ["callers", "describe"]}))
    x = Door(app, made["key"])
    token = door.token()
    assert x.post("/v1/tokens/describe", {"tokens": [token]}).status_code == 200
    assert door.post("/v1/callers/freeze", {"caller": made["id"], "reason": "suspect"}).status_code == 204
    frozen = loads(door.get("/v1/callers/frozen"))["frozen"]
    assert [(one["caller"], one["reason"]) for one in frozen if one["caller"] == made["id"]] == [
        (made["id"], "suspect")
    ]
    refused = (403, "caller_frozen", None)
    assert problem(x.post("/v1/tokens/describe", {"tokens": [token]})) == refused
    assert problem(x.get("/v1/fields")) == refused
    assert problem(x.post("/v1/callers/unfreeze", {"caller": made["id"]})) == refused
    told = records(settings.root_key_file.parent / "vault.db")
    assert ("describe", "caller_frozen") in [
        (one.operation, one.result) for one in told if one.actor == made["id"]
    ]
    assert door.post("/v1/callers/unfreeze", {"caller": made["id"]}).status_code == 204
    assert problem(door.post("/v1/callers/unfreeze", {"caller": made["id"]})) == (404, "unknown_caller", None)
    assert x.get("/v1/fields").status_code == 200
    for bad, pointer in (
        ({"caller": "a\nb"}, "/caller"),
        ({"reason": "<b>"}, "/reason"),
        ({"caller": ""}, "/caller"),
    ):
        ask = {"caller": "key_0", "reason": "left", **bad}
        assert problem(door.post("/v1/callers/freeze", ask)) == (422, "invalid_request", pointer)


def test_who_tries_tokens_out_is_slowed_down(
    app: Flask, door: Door, monkeypatch: pytest.MonkeyPatch, vault: object
) -> None:
    made = loads(door.post("/v1/apikeys", {"name": "sweeper", "operations": ["describe"]}))
    sweeper = Door(app, made["key"])
    guesses = [f"tok_live_{number:035d}" for number in range(1_000)]
    assert sweeper.post("/v1/tokens/describe", {"tokens": guesses}).status_code == 200
    vault.governance = Governing(vault._resources)  # type: ignore[attr-defined] # a process that does not know it yet
    reply = sweeper.get("/v1/fields")
    assert problem(reply) == (429, "slow_down", None)
    assert int(reply.headers["Retry-After"]) in range(1, 6)
    assert door.get("/v1/fields").status_code == 200


def test_a_header_that_names_no_proposal(narrow: Narrow) -> None:
    ann = narrow("policy")
    base = loads(ann.get("/v1/policy"))["version"]
    again = {"document": HEAD + "[bulk]\nlimit = 9\n", "base_version": base}
    assert problem(ann.post("/v1/policy/take", again, Approval=PROPOSAL))[:2] == (403, "approval_not_valid")
    for given in ("x" * 500, "apr_\u00e9", "' OR 1=1 --", ""):
        assert problem(ann.post("/v1/policy/take", again, Approval=given))[:2] == (400, "bad_request")
