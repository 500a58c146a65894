"""A policy in force, seen from outside: what is refused as a whole, what item by item, and what takes two people."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask

from tests.api.door import Door, loads, problem
from vault.resources import Resources
from vault.service import Vault
from vault.store import policies
from vault.store.policies import Taken
from vault.store.writer import Transaction

PHONE, CARD = "+8613800138000", "4111111111111111"
POLICY = """
format = 1
[roles.clerk]
label = "Front office"
[[roles.clerk.allow]]
operations = ["tokenize"]
fields = ["*"]
[[roles.clerk.allow]]
operations = ["reveal", "compare"]
fields = ["phone"]
purposes = ["service"]
view = "full"
reason = "clerks call people"
[[roles.clerk.allow]]
operations = ["approve", "apikeys"]
[callers]
"*" = ["clerk"]
[bulk]
limit = 1
"""


@pytest.fixture(scope="module")
def first(app: Flask, vault: Vault, resources: Resources) -> Door:
    """A key of a business of its own, whose policy is in force."""
    record, text = vault.bootstrap("governed")["live"]

    def work(transaction: Transaction) -> None:
        digest = hashlib.sha256(POLICY.encode()).digest()
        taken = Taken(1, POLICY, digest, record.id, None, transaction.now)
        policies.add(transaction, record.tenant, taken)

    resources.database.write(work)
    resources.policies.forget(record.tenant)
    return Door(app, text)


def ask(*tokens: str, **more: object) -> dict[str, object]:
    return {"tokens": list(tokens), "purpose": "service", **more}


def test_a_whole_request_is_refused_with_a_hint(first: Door) -> None:
    for method, path in (
        ("GET", "/v1/keysets"),
        ("GET", "/v1/tokens"),
        ("DELETE", "/v1/subjects/customer-1"),
    ):
        reply = first.send(method, path)
        assert problem(reply) == (403, "policy_denied", None)
        assert "explain" in loads(reply)["hint"]
    refused = first.post("/v1/reveal", ask(first.token(PHONE), purpose="audit"))
    assert problem(refused) == (403, "policy_denied", None)


def test_items_are_refused_one_by_one(first: Door) -> None:
    phone, card = first.token(PHONE), first.token(CARD, "bank_card")
    body = loads(first.post("/v1/reveal", ask(phone, card)))
    assert body["values"] == ["+86138****8000", None]
    assert [(one["code"], one["pointer"]) for one in body["errors"]] == [("policy_denied", "/tokens/1")]
    body = loads(first.post("/v1/compare", ask(phone, card, values=[PHONE, CARD])))
    assert body["matches"] == [True, None]


def test_the_second_person_is_named_in_a_header(app: Flask, first: Door, vault: Vault) -> None:
    tokens = [first.token(PHONE), first.token("+8613800138001")]
    reply = first.post("/v1/reveal", ask(*tokens, view="full"))
    assert problem(reply)[:2] == (403, "approval_required")
    proposal = loads(reply)["proposal"]
    made = loads(first.post("/v1/apikeys", {"name": "own", "operations": ["approve"]}))
    own = Door(app, made["key"]).post(f"/v1/approvals/{proposal}/approve")
    assert problem(own)[:2] == (403, "self_approval")
    second = Door(app, vault.bootstrap("governed", again=True)["live"][1])
    assert second.post(f"/v1/approvals/{proposal}/approve").status_code == 200
    again = first.post("/v1/reveal", ask(*tokens, view="full"), Approval=proposal)
    assert loads(again)["values"] == [PHONE, "+8613800138001"]
    used = first.post("/v1/reveal", ask(*tokens, view="full"), Approval=proposal)
    assert problem(used)[:2] == (403, "approval_not_valid")
