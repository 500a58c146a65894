"""Every way to fail answers with a problem (RFC 9457) from one table, and says nothing it should not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from api import errors as api
from api import logs, problems
from api.state import EXTENSION
from keys.errors import KeyProblem, UnwrapError
from tests.api.door import Door, loads, problem
from vault import errors as vault
from vault.columns import AlreadyDone
from vault.recovery.targets.protocol import MissingFile
from vault.service import Vault

INSIDE = {  # never answered with a problem
    api.SettingsError, AlreadyDone, vault.LeaseLost,
    vault.InvalidLines, vault.UnknownBackup, vault.BackupIncomplete, vault.BackupUntrusted, vault.BackupReplayed,
    vault.KeyringTooOld, vault.BackupLocked, vault.BackupFromNewer, vault.DatabaseNotEmpty, MissingFile, vault.LastCopy,
    vault.FormerInUse,
}  # fmt: skip


def leaves(root: type[Exception]) -> Iterator[type[Exception]]:
    for kind in root.__subclasses__():
        yield from leaves(kind)
        yield kind


@pytest.mark.parametrize("root", [api.ApiError, vault.VaultError, KeyProblem])
def test_the_table_has_every_error(root: type[Exception]) -> None:
    for kind in leaves(root):
        status, title = problems.look_up(kind)
        assert 400 <= status < 600
        assert title
        if root is not KeyProblem and not kind.__subclasses__() and kind not in INSIDE:
            assert kind in problems.TABLE, kind


def test_codes_are_stable_names_and_each_hint_has_one() -> None:
    codes = {str(kind.code) for kind in problems.TABLE}  # type: ignore[attr-defined]
    assert all(re.fullmatch("[a-z][a-z_]{2,39}", code) for code in codes)
    assert set(problems.HINTS) <= codes


def test_nothing_is_there(door: Door) -> None:
    for path in (
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/tokens/",
        "/v1//tokens",
        "/v1/tokens/a/b",
        "/%00",
        "/%ff",
        "/v1/reveal/../x",
    ):
        assert problem(door.get(path)) == (404, "not_found", None), path


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/reveal", "POST"),
        ("PUT", "/v1/tokens", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/tokens", "GET, HEAD, POST"),
        ("POST", "/livez", "GET, HEAD"),
        ("PATCH", "/v1/tokens/tok", "DELETE, GET, HEAD"),
        ("TRACE", "/v1/fields", "GET, HEAD"),
        ("CANARY", "/v1/fields", "GET, HEAD"),
    ],
)
def test_the_wrong_method_hears_the_right_ones(door: Door, method: str, path: str, allow: str) -> None:
    reply = door.send(method, path)
    assert problem(reply) == (405, "method_not_allowed", None)
    assert reply.headers["Allow"] == allow
    assert "CANARY" not in reply.text


def test_an_error_of_ours_says_only_where_to_look(
    door: Door, vault: Vault, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        secret = "canary7531"
        raise RuntimeError(f"cannot seal {secret}") from ValueError(secret)

    monkeypatch.setattr(vault, "tokenize", broken)
    reply = door.post("/v1/tokens", {"field": "phone", "value": "+8613800138000"}, X_Request_Id="broken-1")
    assert problem(reply) == (500, "internal_error", None)
    assert loads(reply)["request_id"] == reply.headers["X-Request-Id"] == "broken-1"
    assert "canary7531" not in reply.text
    assert "RuntimeError" not in reply.text
    log = capfd.readouterr().err
    assert "canary7531" not in log
    assert '"builtins.RuntimeError","builtins.ValueError"' in log
    assert "tests/api/test_problems.py" in log
    assert " broken" in log
    assert '"request_id":"broken-1"' in log


def test_keys_out_of_reach_are_no_fault_of_the_caller(
    door: Door, vault: Vault, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object) -> None:
        raise UnwrapError("a wrapped key does not open")

    monkeypatch.setattr(vault, "reveal", unreachable)
    reply = door.post("/v1/reveal", {"tokens": [], "purpose": "service"})
    assert problem(reply) == (503, "unwrap_failed", None)
    assert reply.headers["Retry-After"]
    assert "keys.errors.UnwrapError" in capfd.readouterr().err


def test_every_reply_has_its_headers(door: Door) -> None:
    for path in ("/livez", "/v1/fields", "/v1/nothing", "/openapi.json", "/metrics"):
        headers = door.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert re.fullmatch("[0-9a-f]{24}", headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a-B_9", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("é", False),
        ("a\tb", False),
    ],
)
def test_a_request_keeps_its_name_if_it_is_one(door: Door, given: str, kept: bool) -> None:
    name = door.get("/livez", X_Request_Id=given).headers["X-Request-Id"]
    assert (name == given) is kept


def test_a_reply_that_cannot_be_finished_is_not_logged_by_flask(
    app: Flask, door: Door, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary7531")

    with monkeypatch.context() as patched:
        patched.setattr(app.extensions[EXTENSION].metrics, "request", broken)
        reply = door.get("/v1/tokens/canary7531")
    assert problem(reply)[:2] == (500, "internal_error")
    assert "canary7531" not in capfd.readouterr().err


def test_a_log_that_cannot_be_written_stops_nobody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_STANDARD_ERROR", 1_000_000)
    assert door.get("/v1/fields").status_code == 200
