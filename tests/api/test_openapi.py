"""The OpenAPI document: valid, complete, true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import problems
from tests.api.door import Door, loads

ALONE = {
    "/v1/policy/take": "403",  # one person proposes; another approves it, and then it is taken
    "/v1/audit/reopen": "422",  # nobody could write a good checkpoint down beforehand
    **dict.fromkeys(
        ("/v1/backups", "/v1/backups/verify", "/v1/backups/prune"), "409"
    ),  # no target is set up here
    "/v1/drills": "409",
}


@pytest.fixture(scope="module")
def document(door: Door) -> dict[str, Any]:
    return dict(loads(door.get("/openapi.json")))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            yield method.upper(), path, one


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []  # type: ignore[arg-type]


def test_it_needs_no_key_and_is_drawn_once(app: Flask) -> None:
    first, second = (app.test_client().get("/openapi.json") for _ in range(2))
    assert first.content_type == "application/json"
    assert first.data == second.data


def test_every_way_in_is_in_it(app: Flask, document: dict[str, Any]) -> None:
    ways = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}")
        ways |= {(method, path) for method in (rule.methods or set()) - {"HEAD"}}
    assert {(method, path) for method, path, _ in operations(document)} == ways
    assert len(ways) == 86


def test_operations_have_names_and_words(document: dict[str, Any]) -> None:
    ids = [one["operationId"] for _, _, one in operations(document)]
    assert len(set(ids)) == len(ids)
    for _, path, one in operations(document):
        assert one["summary"]
        assert ("security" in one) is path.startswith("/v1")
        if path.startswith("/v1"):
            assert {"401", "403", "503", "500"} <= set(one["responses"])
            assert "Operation: " in one["description"]


def test_every_code_is_documented_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    elsewhere = {
        "vault_error",
        "method_not_allowed",
        "not_found",
    }  # a root; and answers where nothing is described
    for kind in problems.TABLE:
        code = kind.code  # type: ignore[attr-defined]
        assert f"`{code}`" in text or code in elsewhere, code


def test_the_patterns_are_of_json_schema(document: dict[str, Any]) -> None:
    assert "\\Z" not in json.dumps(document)


def test_its_examples_work(
    door: Door, document: dict[str, Any], work: Callable[[], None], seal: Callable[[], int]
) -> None:
    door.post("/v1/keysets/index/rotate")
    work()
    seal()
    for name in ("one person", "and another"):  # who could change a policy again
        door.post("/v1/apikeys", {"name": name, "operations": ["policy", "approve"]})
    (index,) = [one for one in loads(door.get("/v1/keysets"))["keysets"] if one["purpose"] == "index"]
    seen = 0
    for method, path, one in operations(document):
        for media in one.get("requestBody", {}).get("content", {}).values():
            at = path.replace("{key_id}", made_key(door)).replace("{version_id}", index["versions"][0]["id"])
            example = media["example"]
            if "login" in example or "logins" in example:
                example = with_login(door, path, example)
            if path == "/v1/logins/list":
                door.post(
                    "/v1/passwords", {"subject": example["subject"], "password": "a lamp, a kite, two rivers"}
                )
            reply = door.send(method, at, example)
            wanted = ALONE.get(path) or next(iter(one["responses"]))
            assert str(reply.status_code) == wanted, (path, reply.text)
            work()  # one job at a time
            seen += 1
    assert seen == 40


def with_login(door: Door, path: str, example: dict[str, Any]) -> dict[str, Any]:
    """Return the example with a login of its own, which has the example's password unless it is to get one."""
    login = door.token("login" + path.replace("/", "."), "login_name")
    if path not in {"/v1/passwords", "/v1/passwords/import"}:
        door.post("/v1/passwords", {"login": login, "password": "a lamp, a kite, two rivers"})
    return {**example, **({"logins": [login]} if "logins" in example else {"login": login})}


def made_key(door: Door) -> str:
    return str(loads(door.post("/v1/apikeys", {"name": "example", "operations": ["tokenize"]}))["id"])
