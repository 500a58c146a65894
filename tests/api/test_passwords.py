"""Passwords over HTTP: replies alike for logins that exist and that do not; errors without the password."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from tests.api.door import Clock, Door, loads, problem

GOOD = "correct horse, battery, staple"
OTHER = "a wholly different sentence"


@pytest.fixture
def login(door: Door) -> str:
    """A login that has the good password, another one in each test."""
    login = a_login(door)
    reply = door.post("/v1/passwords", {"login": login, "password": GOOD})
    assert reply.status_code == 201, reply.get_data(as_text=True)
    return login


_count = iter(range(1_000_000))


def a_login(door: Door) -> str:
    number = next(_count)
    return door.token(f"user.{number}", "login_name", subject=f"person-{number}", deterministic=True)


def test_a_password_is_stored_and_verified(door: Door, login: str) -> None:
    for password, right in ((GOOD, True), (OTHER, False)):
        reply = door.post("/v1/passwords/verify", {"login": login, "password": password})
        assert (reply.status_code, loads(reply)["verified"]) == (200, right)
    reply = door.post("/v1/passwords/change", {"login": login, "password": GOOD, "new_password": OTHER})
    assert (reply.status_code, set(loads(reply))) == (200, {"score", "warning"})
    assert loads(door.post("/v1/passwords/verify", {"login": login, "password": OTHER}))["verified"]
    assert door.post("/v1/passwords/reset", {"login": login, "password": GOOD}).status_code == 200
    assert loads(door.post("/v1/passwords/verify", {"login": login, "password": GOOD}))["verified"]
    assert door.post("/v1/passwords/delete", {"login": login}).status_code == 204
    assert not loads(door.post("/v1/passwords/verify", {"login": login, "password": GOOD}))["verified"]


def test_a_wrong_password_and_an_unknown_login_look_the_same(door: Door, login: str) -> None:
    asks = [
        {"login": login},
        {"login": "tok_live_" + "0" * 35},
        {"login_name": "nobody.at.all"},
        {"subject": "x"},
    ]
    replies = [door.post("/v1/passwords/verify", {**ask, "password": OTHER}) for ask in asks]
    assert {(reply.status_code, reply.data) for reply in replies} == {
        (200, b'{"verified":false,"new_device":false,"impossible_travel":false}')
    }
    ignored = {"X-Request-Id"}
    assert len({str(sorted((k, v) for k, v in reply.headers if k not in ignored)) for reply in replies}) == 1
    changes = [
        door.post("/v1/passwords/change", {**ask, "password": OTHER, "new_password": "another good sentence"})
        for ask in asks
    ]
    assert {problem(reply) for reply in changes} == {(403, "wrong_password", None)}


def test_too_many_wrong_passwords_say_how_long_to_wait(door: Door, login: str, clock: Clock) -> None:
    ask = {"login": login, "password": OTHER, "origin": {"ip": "192.0.2.44"}}
    while (reply := door.post("/v1/passwords/verify", ask)).status_code == 200:
        assert not loads(reply)["verified"]
    assert problem(reply)[:2] == (429, "too_many_attempts")
    assert reply.headers["Retry-After"] == "1"
    reply = door.post("/v1/passwords/unlock", {"login": login})
    assert (reply.status_code, loads(reply)) == (200, {"unlocked": True})
    assert door.post("/v1/passwords/verify", ask).status_code == 200


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        ({"password": GOOD}, (422, "invalid_request", None)),
        ({"login": "tok_live_1", "password": GOOD}, (422, "malformed_token", None)),
        ({"login": "tok_live_" + "0" * 35}, (422, "invalid_request", "/password")),
        ({"subject": "x", "password": GOOD, "pepper": "canary"}, (422, "invalid_request", None)),
        ({"subject": "x", "password": ""}, (422, "invalid_password", "/password")),
        ({"subject": "x", "password": "canary\0canary"}, (422, "invalid_password", "/password")),
        ({"subject": "x", "password": "canary" * 200}, (422, "password_too_long", "/password")),
        ({"subject": "x", "password": "canary" * 200_000}, (422, "password_too_long", "/password")),
        ({"subject": "x\n", "password": GOOD}, (422, "invalid_request", "/subject")),
        ({"subject": "x", "password": ["canary"]}, (422, "invalid_request", "/password")),
    ],
)
@pytest.mark.parametrize("path", ["", "/verify", "/reset"])
def test_what_is_wrong_is_told_without_the_password(
    door: Door, path: str, ask: dict[str, object], expected: tuple[int, str, str | None]
) -> None:
    reply = door.post(f"/v1/passwords{path}", ask)
    assert problem(reply) == expected
    assert b"canary" not in reply.data


def test_a_lone_surrogate_is_no_json(door: Door) -> None:
    body = b'{"subject":"x","password":"\\ud800\\ud800\\ud800\\ud800"}'
    reply = door.send("POST", "/v1/passwords/verify", body)
    assert reply.status_code in {400, 422}
    assert problem(reply)[1] in {"malformed_json", "invalid_password"}


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("a w!", "password_too_short"),
        ("123456123456", "password_common"),
        ("my user.name.x here", "password_personal"),
    ],
)
def test_what_may_not_be_had_says_why(door: Door, password: str, code: str) -> None:
    login = door.token("user.name.x", "login_name", subject="somebody", deterministic=True)
    reply = door.post("/v1/passwords", {"login": login, "password": password})
    assert problem(reply) == (422, code, "/password")
    assert password.encode() not in reply.data


@pytest.mark.parametrize(
    ("origin", "pointer"),
    [
        ({"ip": "canary"}, "/origin/ip"), ({"ip": "fe80::1%eth0"}, "/origin/ip"),
        ({"device": "a\nb"}, "/origin/device"), ({"latitude": 91}, "/origin/latitude"),
        ({"latitude": 1.5}, "/origin"), ({"agent": "x" * 257}, "/origin/agent"), ({"device": ""}, "/origin/device"),
    ],
)  # fmt: skip
def test_an_odd_origin_is_refused_before_anything_is_counted(
    door: Door, login: str, origin: dict[str, object], pointer: str
) -> None:
    reply = door.post("/v1/passwords/verify", {"login": login, "password": GOOD, "origin": origin})
    assert problem(reply) == (422, "invalid_request", pointer)
    assert b"canary" not in reply.data


def test_each_call_needs_its_operation(door: Door, narrow: Callable[..., Door], login: str) -> None:
    asks: dict[str, dict[str, object]] = {
        "/v1/passwords": {"login": login, "password": GOOD},
        "/v1/passwords/verify": {"login": login, "password": GOOD},
        "/v1/passwords/change": {"login": login, "password": GOOD, "new_password": OTHER},
        "/v1/passwords/reset": {"login": login, "password": OTHER},
        "/v1/passwords/unlock": {"login": login},
        "/v1/passwords/import": {"logins": [login], "hashes": ["x"]},
        "/v1/logins/list": {"login": login, "purpose": "audit"},
        "/v1/passwords/delete": {"login": login},
    }
    opens = {
        "verify": {"/v1/passwords/verify", "/v1/passwords/change"}, "unlock": {"/v1/passwords/unlock"},
        "logins": {"/v1/logins/list"}, "reveal": set(), "reveal_plain": set(), "custody": set(), "tokenize": set(),
    }  # fmt: skip
    for operation, paths in opens.items():
        key = narrow(operation)
        for path, ask in asks.items():
            assert (key.post(path, ask).status_code == 403) is (path not in paths), (operation, path)
        assert key.get("/v1/passwords").status_code == 403


def test_hashes_of_another_system_are_taken(door: Door) -> None:
    logins = [a_login(door) for _ in range(3)]
    digests = [hashlib.sha256(b"salt" + f"old password {at}".encode()).hexdigest() for at in range(2)]
    ask = {
        "logins": logins,
        "hashes": [*digests, "canary"],
        "salts": ["salt"] * 3,
        "layout": "sha256(salt+password)",
    }
    reply = door.post("/v1/passwords/import", ask)
    told = loads(reply)
    assert (reply.status_code, told["imported"]) == (200, 2)
    (error,) = told["errors"]
    assert (error["index"], error["code"], error["pointer"]) == (2, "unreadable_hash", "/hashes/2")
    assert b"canary" not in reply.data
    assert loads(door.post("/v1/passwords/verify", {"login": logins[1], "password": "old password 1"}))[
        "verified"
    ]
    status = loads(door.get("/v1/passwords"))
    assert set(status) == {"profile", "passwords", "behind", "locked", "kinds"}
    assert status["behind"] >= 1
    for odd in (
        {"hashes": ["x"]},
        {"hashes": ["x"], "logins": logins, "subjects": ["a"]},
        {"hashes": ["x"], "logins": logins},
    ):
        assert problem(door.post("/v1/passwords/import", odd))[:2] == (422, "invalid_request")


def test_a_person_sees_their_own_log_ins(door: Door, login: str, narrow: Callable[..., Door]) -> None:
    origin = {"ip": "::ffff:203.0.113.5", "device": "a-device-of-mine", "agent": "app/1"}
    door.post("/v1/passwords/verify", {"login": login, "password": GOOD, "origin": origin})
    ask = {"login": login, "purpose": "subject_request"}
    (masked,) = loads(door.post("/v1/logins/list", ask))["logins"]
    (plain,) = loads(door.post("/v1/logins/list", {**ask, "view": "plain"}))["logins"]
    assert (plain["ip"], plain["device"], plain["agent"]) == ("203.0.113.5", "a-device-of-mine", "app/1")
    assert masked["ip"] != plain["ip"]
    assert masked["device"] != plain["device"]
    assert plain["result"] == "ok"
    assert loads(door.post("/v1/logins/list", {**ask, "since": "2999-01-01T00:00:00Z"}))["logins"] == []
    assert narrow("logins").post("/v1/logins/list", {**ask, "view": "plain"}).status_code == 403
    assert problem(door.post("/v1/logins/list", {"login": login}))[2] == "/purpose"
    assert problem(door.post("/v1/logins/list", {**ask, "purpose": "curiosity"}))[1] == "invalid_request"
    unknown = door.post("/v1/logins/list", {**ask, "login": "tok_live_" + "0" * 35})
    assert problem(unknown)[:2] == (404, "unknown_login")


def test_an_idempotency_key_keeps_nothing_of_a_password(door: Door) -> None:
    login = a_login(door)
    for _ in range(2):
        reply = door.post("/v1/passwords", {"login": login, "password": GOOD}, **{"Idempotency-Key": "once"})
    assert problem(reply) == (409, "password_exists", None)
    assert "Idempotency-Replayed" not in reply.headers
