"""Keysets, key versions, roots and jobs over HTTP: what custodians see and start, and who may not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.config import Settings
from keys.errors import KeyExhausted, KeyExpired
from tests.api.audit import records
from tests.api.door import Clock, Door, loads, problem
from vault.resources import Resources
from vault.service import Vault
from vault.store import catalogue
from vault.store.writer import Transaction

Work = Callable[[], None]
KEY_ID, JOB_ID = "0" * 16, "job_" + "0" * 16
CALLS = [  # what needs which operation
    ("keys", "GET", "/v1/keysets", None),
    ("keys", "GET", "/v1/keysets/seal", None),
    ("keys", "GET", "/v1/roots", None),
    ("keys", "GET", "/v1/jobs", None),
    ("keys", "GET", f"/v1/jobs/{JOB_ID}", None),
    ("custody", "POST", "/v1/keysets/seal/rotate", None),
    *[("custody", "POST", f"/v1/keys/{KEY_ID}/{verb}", None) for verb in
      ("compromise", "disable", "enable", "destroy", "cancel")],
    ("roots", "POST", "/v1/roots/move", {"to": "transit"}),
    ("roots", "POST", "/v1/roots/rotate", {"root": "transit"}),
    ("roots", "POST", "/v1/roots/rewrap", {"root": "transit"}),
]  # fmt: skip


def keyset(door: Door, purpose: str) -> dict[str, Any]:
    return dict(loads(door.get(f"/v1/keysets/{purpose}")))


def states(door: Door, purpose: str) -> list[str]:
    return [version["state"] for version in keyset(door, purpose)["versions"]]


def started(door: Door, path: str, body: object = None) -> dict[str, Any]:
    """Start a job, look at its reply, return it."""
    reply = door.post(path, body)
    assert reply.status_code == 202, reply.text
    job = dict(loads(reply))
    assert reply.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["finished_at"]) == ("waiting", None)
    return job


def ended(door: Door, job: dict[str, Any], work: Work) -> dict[str, Any]:
    """Have a job carried out; return how it ended."""
    work()
    return dict(loads(door.get(f"/v1/jobs/{job['id']}")))


def turned(door: Door, purpose: str, work: Work) -> dict[str, Any]:
    """Turn a keyset; return how the job ended."""
    return ended(door, started(door, f"/v1/keysets/{purpose}/rotate"), work)


def test_keysets_are_listed_without_keys(door: Door, settings: Settings) -> None:
    listed = loads(door.get("/v1/keysets"))["keysets"]
    assert {one["purpose"]: one["rotates"] for one in listed} == {
        "seal": True, "index": True, "audit": True, "password": True, "route": False,
    }  # fmt: skip
    for one in listed:
        (version,) = one["versions"]
        assert set(version) == {
            "id", "state", "root", "created_at", "activated_at", "deactivated_at", "destroy_at",
            "messages", "max_messages", "expires_at", "condition", "needed_by", "forfeits",
        }  # fmt: skip
        assert (version["state"], version["condition"], version["needed_by"]) == ("active", "ok", None)
        assert version["root"].startswith("local:")
        assert (version["expires_at"] is None) is (one["purpose"] == "route")


def test_a_keyset_says_what_needs_its_versions(door: Door, work: Work) -> None:
    token = door.token("+8613800138001", subject="customer-1")
    door.token("a@example.com", "email")
    assert keyset(door, "seal")["versions"][-1]["needed_by"]["persons"] >= 1
    job = turned(door, "seal", work)
    assert (job["kind"], job["target"], job["state"]) == ("rotate_keyset", "keyset seal", "done")
    assert (job["done"], job["skipped"], job["error"]) == (job["total"], 0, None)
    *_, old, new = keyset(door, "seal")["versions"]
    assert job["notes"] == {"key": new["id"], "waiting_for": 0}
    assert (old["state"], old["needed_by"], new["state"]) == ("deactivated", {}, "active")
    revealed = door.post("/v1/reveal", {"tokens": [token], "purpose": "service", "view": "plain"})
    assert loads(revealed)["values"] == ["+8613800138001"]


def test_a_second_rotation_waits_for_the_first(door: Door, work: Work) -> None:
    job = started(door, "/v1/keysets/audit/rotate")
    refused = door.post("/v1/keysets/audit/rotate")
    assert problem(refused) == (409, "job_running", None)
    assert "/v1/jobs" in loads(refused)["hint"]
    assert loads(door.get("/v1/jobs"))["jobs"][0]["id"] == job["id"]
    assert ended(door, job, work)["state"] == "done"
    assert ended(door, started(door, "/v1/keysets/audit/rotate"), work)["state"] == "done"


def test_what_never_turns(door: Door) -> None:
    assert problem(door.post("/v1/keysets/route/rotate")) == (422, "keyset_does_not_rotate", None)
    route = keyset(door, "route")["versions"][0]["id"]
    assert problem(door.post(f"/v1/keys/{route}/compromise")) == (422, "keyset_does_not_rotate", None)
    assert problem(door.post(f"/v1/keys/{route}/destroy")) == (422, "keyset_does_not_rotate", None)
    assert problem(door.post(f"/v1/keys/{route}/disable")) == (422, "keyset_does_not_rotate", None)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/v1/keysets/master", "unknown_keyset"),
        ("POST", "/v1/keysets/SEAL/rotate", "unknown_keyset"),
        ("GET", f"/v1/jobs/{JOB_ID}", "unknown_job"),
        ("POST", f"/v1/jobs/{JOB_ID}/cancel", "unknown_job"),
        *[("POST", f"/v1/keys/{KEY_ID}/{verb}", "unknown_key_version")
          for verb in ("compromise", "disable", "enable", "destroy", "cancel")],
    ],
)  # fmt: skip
def test_what_is_not_there(door: Door, method: str, path: str, code: str) -> None:
    assert problem(door.send(method, path)) == (404, code, None)


def test_a_version_is_suspended_resumed_and_destroyed_after_a_wait(
    door: Door, vault: Vault, clock: Clock, work: Work
) -> None:
    old = keyset(door, "seal")["versions"][-1]
    path = f"/v1/keys/{old['id']}"
    refused = door.post(f"{path}/destroy")
    assert problem(refused) == (409, "key_in_use", None)
    assert "new writes" in loads(refused)["detail"]
    turned(door, "seal", work)
    assert loads(door.post(f"{path}/disable"))["state"] == "suspended"
    assert loads(door.post(f"{path}/disable"))["state"] == "suspended"
    assert loads(door.post(f"{path}/enable"))["state"] == "deactivated"
    assert problem(door.post(f"{path}/cancel")) == (409, "key_state", None)
    for wrong in (86_399, 31_536_001, "30d"):
        assert problem(door.post(f"{path}/destroy", {"wait_seconds": wrong}))[1:] == (
            "invalid_request", "/wait_seconds",
        )  # fmt: skip
    planned = loads(door.post(f"{path}/destroy"))
    assert (planned["state"], planned["destroy_at"] is None) == ("deactivated", False)
    assert loads(door.post(f"{path}/cancel"))["destroy_at"] is None
    assert loads(door.post(f"{path}/destroy", {"wait_seconds": 86_400}))["destroy_at"] is not None


def test_a_version_that_backups_need_is_destroyed_only_if_they_are_given_up(
    door: Door, work: Work, resources: Resources
) -> None:
    old = keyset(door, "seal")["versions"][-1]["id"]
    turned(door, "seal", work)

    def backup(transaction: Transaction) -> int:
        number = catalogue.begin(transaction, "data", "full", None, 1, 1, 1)
        note = json.dumps({"keys": {old: 3}}, separators=(",", ":"))
        catalogue.made(transaction, "data", number, 1, note, "d", 3, 3, ["file:/one"])
        return number

    number = resources.database.write(backup)
    refused = door.post(f"/v1/keys/{old}/destroy")
    assert problem(refused) == (409, "key_in_use", None)
    assert "1 backups" in loads(refused)["detail"]
    planned = loads(door.post(f"/v1/keys/{old}/destroy", {"forfeit_backups": True}))
    assert (planned["forfeits"], planned["destroy_at"] is None) == ([number], False)
    assert loads(door.post(f"/v1/keys/{old}/cancel"))["forfeits"] == []
    resources.database.write(lambda transaction: catalogue.removed(transaction, "data", [number]))
    assert loads(door.post(f"/v1/keys/{old}/destroy"))["destroy_at"] is not None


def test_a_leaked_version_is_emptied_and_destroyed(door: Door, work: Work) -> None:
    token = door.token("+8613800138002", subject="customer-2")
    leaked = keyset(door, "seal")["versions"][-1]["id"]
    job = ended(door, started(door, f"/v1/keys/{leaked}/compromise"), work)
    assert (job["kind"], job["state"], job["notes"]["compromised"]) == ("compromise_key", "done", leaked)
    assert "since" not in job["notes"]
    (gone,) = [one for one in keyset(door, "seal")["versions"] if one["id"] == leaked]
    assert gone["state"] == "destroyed"
    for verb in ("compromise", "destroy"):
        assert problem(door.post(f"/v1/keys/{leaked}/{verb}")) == (409, "key_state", None)
    again = door.post(f"/v1/keys/{leaked}/destroy", {"forfeit_backups": True})
    assert loads(again)["detail"] == "this key version is destroyed already"
    revealed = door.post("/v1/reveal", {"tokens": [token], "purpose": "service", "view": "plain"})
    assert loads(revealed)["values"] == ["+8613800138002"]


def test_a_job_that_could_not_destroy_says_what_needs_the_version(door: Door, work: Work) -> None:
    door.token("+8613800138003", kind="one_way")
    leaked = keyset(door, "index")["versions"][-1]["id"]
    job = ended(door, started(door, f"/v1/keys/{leaked}/compromise"), work)
    assert (job["state"], job["error"]) == ("failed", "key_in_use")
    assert job["notes"]["needed_by"]["one_way_tokens"] == 1


def test_roots_are_listed_moved_and_turned(door: Door, turning_root: Any, work: Work) -> None:
    listed = loads(door.get("/v1/roots"))["roots"]
    home = listed[0]["name"]
    assert home.startswith("local:")
    assert listed == [
        {"name": home, "version": None, "state": "ok"}, {"name": "transit", "version": 1, "state": "ok"},
    ]  # fmt: skip
    job = ended(door, started(door, "/v1/roots/move", {"to": "transit"}), work)
    assert (job["kind"], job["target"], job["state"]) == ("move_root", "roots", "done")
    assert job["notes"] == {"root": "transit"}
    assert {version["root"] for version in keyset(door, "index")["versions"]} <= {"transit", home}
    assert keyset(door, "index")["versions"][-1]["root"] == "transit"
    for verb in ("rotate", "rewrap"):
        job = ended(door, started(door, f"/v1/roots/{verb}", {"root": "transit"}), work)
        assert (job["state"], job["notes"]) == ("done", {"root": "transit"})
    assert (turning_root.latest(), turning_root.oldest) == (2, 2)
    refused = door.post("/v1/roots/rotate", {"root": home})
    assert problem(refused) == (422, "root_cannot_turn", None)
    assert ended(door, started(door, "/v1/roots/move", {"to": home}), work)["state"] == "done"


@pytest.mark.parametrize(("verb", "member"), [("move", "to"), ("rotate", "root"), ("rewrap", "root")])
def test_a_root_that_is_not_listed(door: Door, verb: str, member: str) -> None:
    refused = door.post(f"/v1/roots/{verb}", {member: "nowhere"})
    assert problem(refused) == (422, "unknown_root", f"/{member}")
    assert problem(door.post(f"/v1/roots/{verb}", {}))[:2] == (422, "invalid_request")


def test_a_root_that_is_away_starts_nothing(door: Door, vault: Vault, turning_root: Any, work: Work) -> None:
    home = loads(door.get("/v1/roots"))["roots"][0]["name"]
    ended(door, started(door, "/v1/roots/move", {"to": "transit"}), work)
    turning_root.away = True
    try:
        vault._resources.keyring._checked = (float("-inf"), {})
        assert problem(door.post("/v1/roots/move", {"to": "transit"})) == (503, "key_error", None)
        states = {root["name"]: root["state"] for root in loads(door.get("/v1/roots"))["roots"]}
        assert states["transit"] == "key_error"
        text = door.get("/metrics").text
        assert 'strongroom_root_up{root="transit"} 0.0' in text
        reply = door.get("/readyz")
        assert (reply.status_code, loads(reply)["status"]) == (200, "degraded")
        assert loads(reply)["checks"]["keys"] == "held"
    finally:
        turning_root.away = False
        vault._resources.keyring._checked = (float("-inf"), {})
    lines = door.get("/metrics").text.splitlines()
    assert 'strongroom_root_up{root="transit"} 1.0' in lines
    ended(door, started(door, "/v1/roots/move", {"to": home}), work)
    (lease,) = [line for line in lines if line.startswith("strongroom_key_lease_seconds ")]
    assert 0 < float(lease.split()[1]) <= 900


@pytest.mark.parametrize(("operation", "method", "path", "body"), CALLS)
def test_a_key_without_the_operation(
    door: Door,
    narrow: Callable[..., Door],
    settings: Settings,
    operation: str,
    method: str,
    path: str,
    body: Any,
) -> None:
    others = [one for one in ("keys", "custody", "roots", "apikeys") if one != operation]
    weak = narrow(*others)
    before = len(records(database(settings)))
    assert problem(weak.send(method, path, body)) == (403, "forbidden", None)
    (record,) = records(database(settings))[before:]
    assert (record.operation, record.result) == (operation, "forbidden")


def database(settings: Settings) -> Path:
    return settings.root_key_file.parent / "vault.db"


def test_what_was_started_is_in_the_audit(door: Door, settings: Settings, work: Work) -> None:
    before = len(records(database(settings)))
    turned(door, "audit", work)
    written = [(one.operation, one.result) for one in records(database(settings))[before:]]
    assert written == [("start_rotate_keyset", "ok"), ("activate_key", "ok"), ("rotate_keyset", "ok")]


def test_no_stranger_sees_or_turns_anything(
    app: Flask, door: Door, test_door: Door, vault: Vault, work: Work
) -> None:
    stranger = Door(app, vault.bootstrap("stranger")["live"][1])
    version = keyset(door, "seal")["versions"][-1]["id"]
    job = started(door, "/v1/keysets/audit/rotate")
    before = states(test_door, "audit")
    for other in (stranger, test_door):
        assert version not in other.get("/v1/keysets").text
        assert job["id"] not in other.get("/v1/jobs").text
        assert problem(other.get(f"/v1/jobs/{job['id']}")) == (404, "unknown_job", None)
        for verb in ("compromise", "disable", "enable", "destroy", "cancel"):
            assert problem(other.post(f"/v1/keys/{version}/{verb}")) == (404, "unknown_key_version", None)
    work()
    assert states(test_door, "audit") == before
    assert problem(stranger.post("/v1/roots/move", {"to": "transit"})) == (403, "forbidden", None)
    assert ended(test_door, started(test_door, "/v1/keysets/audit/rotate"), work)["state"] == "done"


def test_who_may_not_turn_roots_gives_nobody_the_right(app: Flask, vault: Vault) -> None:
    plain = Door(app, vault.bootstrap("plain")["live"][1])
    assert problem(plain.post("/v1/apikeys", {"name": "x", "operations": ["roots"]})) == (
        403,
        "forbidden",
        None,
    )


@pytest.mark.parametrize("error", [KeyExpired, KeyExhausted])
def test_a_used_up_key_names_what_helps(
    door: Door, vault: Vault, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def used_up(*_: object) -> None:
        raise error("the seal key is used up")

    monkeypatch.setattr(vault, "tokenize", used_up)
    reply = door.post("/v1/tokens", {"field": "phone", "value": "+8613800138000"})
    assert problem(reply)[:2] == (503, error.code)  # type: ignore[attr-defined]
    assert "strongroom keys rotate seal" in loads(reply)["hint"]


def test_a_job_is_called_off_by_those_who_may_start_it(door: Door, narrow: Callable[..., Door]) -> None:
    job = started(door, "/v1/roots/move", {"to": "transit"})
    path = f"/v1/jobs/{job['id']}/cancel"
    assert problem(narrow("custody").post(path)) == (403, "forbidden", None)
    over = loads(narrow("roots").post(path))
    assert (over["state"], over["error"], over["finished_at"] is None) == ("failed", "cancelled", False)
    job = started(door, "/v1/keysets/audit/rotate")
    path = f"/v1/jobs/{job['id']}/cancel"
    assert problem(narrow("roots").post(path)) == (403, "forbidden", None)
    assert loads(narrow("custody").post(path))["error"] == "cancelled"
    assert loads(door.post(path))["error"] == "cancelled"
