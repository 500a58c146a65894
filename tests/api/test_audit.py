"""The audit's doors: what they answer is on record, is proved by code that shares nothing with the vault's."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from api import create_app
from api.config import Settings
from tests.api.door import Clock, Door, loads, problem
from tests.vault.audit import outside
from vault.alarms import raise_alarm
from vault.audit import archive, leaf
from vault.audit.notes import Verifier
from vault.gatekeeping import OUTSIDE, AuditGate
from vault.resources import Resources
from vault.service import Vault
from vault.store import audithealth

CARD = "4111111111111111"
POLICY = """format = 1

[roles.all]
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]

[roles.none]
[[roles.none.deny]]
operations = ["audit"]
reason = "they read no audit"

[callers]
"*" = ["all"]
"key_0" = ["none"]
"""


@pytest.fixture(scope="module")
def told(door: Door, test_door: Door, seal: Callable[[], int]) -> dict[str, Any]:
    """A person whose card was stored, looked at, and refused once; sealed."""
    token = door.token(CARD, "bank_card", subject="客户/17?")
    other = door.token("+8613800138000", "phone", subject="customer-18")
    for view, purpose in (("masked", "settle"), ("full", "risk")):
        asked = {"tokens": [token, other], "view": view, "purpose": purpose}
        assert door.post("/v1/reveal", asked, X_Request_Id=f"look-{view}").status_code == 200
    test_door.token(CARD, "bank_card", subject="客户/17?")
    seal()
    return {"token": token, "other": other}


def status(door: Door, **query: object) -> Any:
    reply = door.client.get("/v1/audit", query_string=query, headers={"Authorization": f"Bearer {door.key}"})
    assert reply.status_code == 200, reply.text
    return loads(reply)


def test_a_log_says_how_it_is(door: Door, told: object) -> None:
    found = status(door)
    assert (found["log"], found["pending"] >= 0, found["dropped"], found["former"]) == (1, True, 0, None)
    assert found["size"] > 5
    assert found["sealer"]["state"] == "ok"
    note = loads(door.get("/v1/audit/checkpoint"))["checkpoint"]
    (key,) = [one["vkey"] for one in found["keys"]]
    origin, size, root = outside.checkpoint(note, key) or ("", 0, b"")
    assert (origin, root.hex()) == (found["origin"], found["root"])
    assert loads(door.get("/v1/audit/checkpoints?limit=5"))["checkpoints"][-1] == note
    assert loads(door.get(f"/v1/audit/checkpoints?after={size}"))["checkpoints"] == []
    assert problem(door.get("/v1/audit?log=9"))[:2] == (404, "unknown_log")
    assert problem(door.get(f"/v1/audit/checkpoint?size={size + 9}"))[:2] == (404, "unknown_record")


def test_leaves_and_tiles_make_the_root(door: Door, told: object) -> None:
    found = status(door)
    part = loads(door.get("/v1/audit/leaves?limit=3"))
    rest = loads(door.get("/v1/audit/leaves?first=3&limit=5000"))
    leaves = [base64.b64decode(one) for one in part["leaves"] + rest["leaves"]]
    hashes = [base64.b64decode(one) for one in part["hashes"] + rest["hashes"]]
    assert (rest["first"], len(part["leaves"]), len(leaves)) == (3, 3, found["size"])
    assert outside.mth(leaves).hex() == found["root"]
    tile = [base64.b64decode(one) for one in loads(door.get("/v1/audit/tiles?level=0&number=0"))["hashes"]]
    assert tile == hashes == [outside.mth([one]) for one in leaves]
    assert problem(door.get("/v1/audit/tiles?level=2"))[:2] == (404, "unknown_record")
    assert problem(door.get("/v1/audit/leaves?limit=5001"))[:2] == (422, "invalid_request")


def test_records_are_found_by_all_that_they_say(door: Door, told: dict[str, Any]) -> None:
    def found(**ask: object) -> list[Any]:
        reply = door.post("/v1/audit/records", ask)
        assert reply.status_code == 200, reply.text
        body = loads(reply)
        assert body["sealed_to"] == status(door)["size"]
        assert body["sealed_at"]
        assert body["pending"] >= 1  # at the least, this question itself
        return list(body["records"])

    seen = found(token=told["token"])
    assert [one["operation"] for one in seen] == ["reveal", "reveal", "tokenize"]
    assert [one["view"] for one in seen] == ["full", "masked", ""]
    assert seen[0]["request_id"] == "look-full"
    assert (seen[0]["tokens"], seen[0]["persons"], seen[0]["fields"]) == (2, 2, ["bank_card", "phone"])
    assert seen[0]["caller_name"] == "bootstrap"
    assert found(subject="客户/17?") == seen
    assert found(subject="客户/18") == []
    assert found(operation="tokenize", field="phone")[0]["fields"] == ["phone"]
    assert [one["view"] for one in found(operation="reveal", caller=seen[0]["caller"], limit=1)] == ["full"]
    assert found(operation="reveal", result="policy_denied") == []
    at = seen[1]["at"]
    assert [one["position"] for one in found(operation="reveal", since=at, until=at)] == [seen[1]["position"]]
    assert found(until="1999-01-01T00:00:00+08:00") == []
    first = loads(door.post("/v1/audit/records", {"token": told["token"], "limit": 2}))
    second = loads(door.post("/v1/audit/records", {"token": told["token"], "cursor": first["next_cursor"]}))
    assert first["records"] + second["records"] == seen
    assert problem(door.post("/v1/audit/records", {"since": "2026-01-01T00:00:00"}))[2] == "/since"
    assert problem(door.post("/v1/audit/records", {"token": "tok_live_x"}))[:2] == (422, "malformed_token")
    assert problem(door.post("/v1/audit/records", {"cursor": "x"}))[2] == "/cursor"


def test_a_person_is_told_of_their_own_data_alone(door: Door, told: object) -> None:
    found = loads(door.post("/v1/audit/person", {"subject": "客户/17?"}))
    seen = [(one["operation"], one["fields"], one["items"], one["purpose"]) for one in found["events"]]
    assert seen == [
        ("reveal", ["bank_card"], 1, "risk"), ("reveal", ["bank_card"], 1, "settle"),
        ("tokenize", ["bank_card"], 1, ""),
    ]  # fmt: skip
    assert loads(door.post("/v1/audit/person", {"subject": "nobody"}))["events"] == []
    assert problem(door.post("/v1/audit/person", {}))[2] == "/subject"


def test_a_record_is_proved_to_outsiders(door: Door, told: dict[str, Any], seal: Callable[[], int]) -> None:
    (one,) = loads(door.post("/v1/audit/records", {"token": told["token"], "limit": 1}))["records"]
    proof = loads(door.post("/v1/audit/prove", {"record": one["id"]}))
    origin, size, root = outside.checkpoint(proof["checkpoint"], proof["vkey"]) or ("", 0, b"")
    assert (origin, size) == (proof["origin"], proof["size"])
    found, path = base64.b64decode(proof["leaf"]), [bytes.fromhex(one) for one in proof["hashes"]]
    assert leaf.decode(found).id.hex() == one["id"]
    assert outside.includes(found, proof["position"], size, path, root)
    assert not outside.includes(found + b"\0", proof["position"], size, path, root)
    seal()
    grown = loads(door.get("/v1/audit/checkpoint"))["checkpoint"]
    _, new_size, new_root = outside.checkpoint(grown, proof["vkey"]) or ("", 0, b"")
    asked = {"from_size": size, "to_size": new_size}
    hashes = [bytes.fromhex(one) for one in loads(door.post("/v1/audit/consistency", asked))["hashes"]]
    assert outside.extends(size, new_size, hashes, root, new_root)
    assert not outside.extends(size, new_size, hashes, new_root, root)
    assert loads(door.post("/v1/audit/prove", {"record": one["position"], "size": size})) == proof
    for ask, refused in (
        ({"record": "0" * 32}, (404, "unknown_record")), ({"record": "xyz"}, (422, "invalid_request")),
        ({"record": -1}, (422, "invalid_request")), ({"record": 0, "size": 0}, (422, "invalid_request")),
        ({"record": 0, "log": 7}, (404, "unknown_log")), ({"record": None}, (422, "invalid_request")),
    ):  # fmt: skip
        assert problem(door.post("/v1/audit/prove", ask))[:2] == refused, ask


def test_what_is_not_sealed_yet_says_so(door: Door, settings: Settings, told: object) -> None:
    door.token()
    database = settings.root_key_file.parent / "vault.db"
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT leaf FROM audit_record ORDER BY id DESC LIMIT 1"
        ((newest,),) = connection.execute(query).fetchall()
    asked = door.post("/v1/audit/prove", {"record": leaf.decode(newest).id.hex()})
    assert problem(asked)[:2] == (409, "not_sealed")


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_exports_are_signed(door: Door, told: object, form: str) -> None:
    reply = door.post("/v1/audit/export", {"format": form, "first": 1})
    assert reply.status_code == 200
    assert reply.content_type.startswith({"ndjson": "application/x-ndjson", "csv": "text/csv"}[form])
    keys = [Verifier(one["vkey"]) for one in status(door)["keys"]]
    reader = archive.Reader([reply.data], keys)
    entries = [entry for batch in reader for entry in batch]
    assert [position for position, _ in entries] == [*range(1, reader.header.end)]
    with pytest.raises(ValueError, match="signature"):
        list(archive.Reader([reply.data.replace(b"look-full", b"look-none")], keys))


def test_an_export_of_a_time_has_all_of_it(door: Door, told: object) -> None:
    (one,) = loads(door.post("/v1/audit/records", {"operation": "reveal", "limit": 1}))["records"]
    ask = {"since": one["at"], "until": one["at"]}
    lines = [json.loads(line) for line in door.post("/v1/audit/export", ask).data.splitlines()]
    assert one["position"] in [line.get("position") for line in lines]
    assert problem(door.post("/v1/audit/export", {**ask, "first": 0}))[2] == "/first"
    assert problem(door.post("/v1/audit/export", {"first": 5, "end": 4}))[2] == "/first"
    assert problem(door.post("/v1/audit/export", {"format": "xml"}))[2] == "/format"


def test_a_log_that_lost_nothing_is_not_reopened(door: Door, told: object) -> None:
    note = loads(door.get("/v1/audit/checkpoint"))["checkpoint"]
    assert problem(door.post("/v1/audit/reopen", {"checkpoint": note}))[:2] == (409, "log_not_behind")
    forged = note.replace("strongroom/", "strongroom/f", 1)
    assert problem(door.post("/v1/audit/reopen", {"checkpoint": forged}))[:2] == (422, "invalid_checkpoint")
    assert status(door)["log"] == 1


def test_reading_is_on_record_and_for_auditors_alone(
    door: Door, narrow: Callable[..., Door], told: dict[str, Any], seal: Callable[[], int]
) -> None:
    clerk = narrow("reveal", "tokenize")
    for path in ("", "/checkpoint", "/checkpoints", "/leaves", "/tiles"):
        assert problem(clerk.get(f"/v1/audit{path}"))[:2] == (403, "forbidden")
    for path in ("records", "person", "prove", "consistency", "export", "reopen"):
        assert problem(clerk.post(f"/v1/audit/{path}", {}))[:2] == (403, "forbidden")
    assert problem(clerk.get("/v1/alarms"))[:2] == (403, "forbidden")
    reader = narrow("audit")
    assert reader.post("/v1/audit/person", {"subject": "客户/17?"}).status_code == 200
    seal()
    found = loads(door.post("/v1/audit/records", {"subject": "客户/17?", "operation": "audit_read"}))
    assert found["records"][0]["caller_name"] == "narrow"
    refused = loads(door.post("/v1/audit/records", {"operation": "audit", "result": "forbidden"}))["records"]
    assert len(refused) >= 11


def test_no_token_or_subject_comes_in_an_address(app: Flask) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/v1/audit")]
    assert len(rules) == 11
    assert not any("<" in rule for rule in rules)


def test_alarms_are_listed_and_seen_to(door: Door, test_door: Door, narrow: Callable[..., Door],
                                       resources: Resources, made: dict[Any, Any]) -> None:  # fmt: skip
    tenant = made["live"][0].tenant
    ids = [
        resources.database.write(lambda t, who=who, kind=kind: raise_alarm(t, who, kind, {"sink": "file:x"}))
        for who, kind in ((None, "audit_paused"), (tenant, "sweep"))
    ]
    shown = loads(door.get("/v1/alarms?limit=1"))
    assert [one["id"] for one in shown["alarms"]] == [ids[1]]
    more = loads(door.get(f"/v1/alarms?cursor={shown['next_cursor']}"))
    assert (more["alarms"][0]["id"], more["alarms"][0]["mode"]) == (ids[0], None)
    assert "every request is refused" in more["alarms"][0]["text"]
    assert [one["id"] for one in loads(test_door.get("/v1/alarms"))["alarms"]] == [ids[0]]
    seen = loads(narrow("callers").post(f"/v1/alarms/{ids[1]}/acknowledge"))
    assert seen["acknowledged_by"].startswith("key_")
    again = loads(door.post(f"/v1/alarms/{ids[1]}/acknowledge"))
    assert again["acknowledged_by"] == seen["acknowledged_by"]
    assert problem(test_door.post(f"/v1/alarms/{ids[1]}/acknowledge"))[:2] == (404, "unknown_alarm")


def test_how_the_audit_is_can_be_asked_while_all_else_is_refused(
    settings: Settings, resources: Resources, clock: Clock, made: dict[Any, Any], told: object
) -> None:
    gate = AuditGate(resources.database, lambda: 1.0)
    door = Door(create_app(settings, Vault(replace(resources, gate=gate)), clock), made["live"][1])
    resources.database.write(lambda transaction: audithealth.tell(transaction, OUTSIDE, "audit_unavailable"))
    assert problem(door.post("/v1/audit/records", {}))[:2] == (503, "audit_unavailable")
    assert status(door)["log"] == 1
    assert door.get("/v1/alarms").status_code == 200
    resources.database.write(lambda transaction: audithealth.tell(transaction, OUTSIDE, "ok"))


def test_a_policy_may_close_the_audit(door: Door, narrow: Callable[..., Door], told: object) -> None:
    ann, bob, clerk = narrow("policy"), narrow("approve"), narrow("audit")
    assert clerk.get("/v1/audit").status_code == 200
    named = loads(door.get("/v1/apikeys"))["apikeys"][-1]["id"]
    document = POLICY.replace("key_0", named)
    asked = {"document": document, "base_version": 0}
    proposed = ann.post("/v1/policy/take", asked)
    assert proposed.status_code == 403, proposed.text
    proposal = loads(proposed)["proposal"]
    assert bob.post(f"/v1/approvals/{proposal}/approve").status_code == 200
    assert ann.post("/v1/policy/take", asked, Approval=proposal).status_code == 201
    assert problem(clerk.get("/v1/audit"))[:2] == (403, "policy_denied")
    assert door.get("/v1/audit").status_code == 200
