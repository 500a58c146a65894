"""Passwords and log-ins: against a real service from end to end, and what a server that fails does to them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from strongroom_client import (
    Client,
    Forbidden,
    InvalidArgument,
    ItemError,
    LogIn,
    NotFound,
    Origin,
    PasswordVerified,
    Refused,
    StrongroomError,
    TooManyAttempts,
    Unavailable,
    WrongPassword,
)

from tests.client.conftest import KEY
from tests.client.faults import Act, Faults, answer, hang_up, problem, raw, silent
from tests.client.test_secrets import texts
from tests.service import Service, running

OLD, NEW = "a lamp, a kite, two rivers", "three mills behind the hill"
NAME, SALT, HASH = "canary.of.the.mine", "salt-canary-4711", "0f" * 15 + "ca"
DEVICE, AGENT, ADDRESS = "device-canary-1", "agent-canary-2", "2001:db8::ca:4711"
CANARIES = (OLD, NEW, NAME, SALT, HASH, DEVICE, AGENT, ADDRESS, KEY)
WHERE = Origin(ip=ADDRESS, device=DEVICE, agent=AGENT)

Call = Callable[[Client], object]
HASHES: dict[str, Call] = {  # what asks for a hash
    "store": lambda client: client.store_password(OLD, login_name=NAME),
    "verify": lambda client: client.verify_password(OLD, login_name=NAME, origin=WHERE),
    "change": lambda client: client.change_password(OLD, NEW, login_name=NAME, origin=WHERE),
    "reset": lambda client: client.reset_password(NEW, login_name=NAME),
    "import": lambda client: client.import_passwords([HASH], login_names=[NAME], salts=[SALT]),
}
WRITES: dict[str, Call] = {
    **HASHES,
    "delete": lambda client: client.delete_password(login_name=NAME),
    "unlock": lambda client: client.unlock_login(login_name=NAME),
}
CALLS: dict[str, Call] = {
    **WRITES, "log-ins": lambda client: list(client.log_ins(login_name=NAME, purpose="audit")),
}  # fmt: skip
REPLY = {
    "score": 4, "warning": None, "verified": True, "new_device": False, "impossible_travel": False,
    "unlocked": True, "imported": 1, "errors": [], "logins": [], "next_cursor": None,
}  # fmt: skip
BUSY = problem(503, "hashing_busy", {"Retry-After": "1"})
ECHO = " ".join(CANARIES)
ITEM = {"index": 0, "code": "unreadable_hash", "detail": ECHO, "pointer": f"/hashes/0/{HASH}"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("shop")
    settings = {"STRONGROOM_WORKERS": "1", "STRONGROOM_PASSWORD_PROFILE": "owasp-7"}
    with running(folder, f"sqlite:///{folder}/vault.db", **settings) as service:
        yield service


@pytest.fixture
def vault(shop: Service) -> Iterator[Client]:
    with Client(shop.url, shop.keys["live"]) as made:
        yield made


def login_of(vault: Client, name: str, subject: str | None = None) -> str:
    """Return the token of a login name, which is made if it is new."""
    return vault.tokenize("login_name", name, deterministic=True, subject=subject)


def test_a_password_from_its_choice_to_its_end(vault: Client) -> None:
    login = login_of(vault, "lin.yi", "customer-1")
    chosen = vault.store_password(OLD, login=login)
    assert (chosen.score, chosen.warning) == (4, None)
    assert vault.verify_password(OLD, login_name="lin.yi") == PasswordVerified(True)
    wrong = vault.verify_password(NEW, login=login)
    assert (wrong.verified, bool(wrong)) == (False, False)
    with pytest.raises(Refused) as again:
        vault.store_password(NEW, login=login)
    assert (again.value.code, again.value.status) == ("password_exists", 409)
    with pytest.raises(WrongPassword):
        vault.change_password(NEW, OLD, login=login)
    assert vault.change_password(OLD, NEW, login=login).score == 4
    assert vault.verify_password(NEW, login=login)
    vault.reset_password(OLD, login=login)
    assert vault.verify_password(OLD, login=login)
    vault.delete_password(login=login)
    assert not vault.verify_password(OLD, login=login)
    with pytest.raises(NotFound) as gone:
        vault.delete_password(login=login)
    assert gone.value.code == "unknown_login"


def test_a_person_has_one_password_for_all_ways_in(vault: Client) -> None:
    vault.store_password(OLD, subject="customer-2")
    assert vault.verify_password(OLD, subject="customer-2")
    assert not vault.verify_password(OLD, subject="customer-3")


def test_guessing_ends_in_a_wait_that_unlocking_ends(vault: Client) -> None:
    login = login_of(vault, "guessed")
    vault.store_password(OLD, login=login)
    assert not vault.unlock_login(login=login)
    for _ in range(11):
        vault_says = guess(vault, login)
    assert isinstance(vault_says, TooManyAttempts)
    assert (vault_says.status, vault_says.code) == (429, "too_many_attempts")
    assert vault_says.retry_after is not None
    assert vault_says.retry_after >= 1
    assert vault.unlock_login(login=login)
    assert vault.verify_password(OLD, login=login)


def guess(vault: Client, login: str) -> object:
    try:
        return vault.verify_password(NEW, login=login)
    except TooManyAttempts as error:
        return error


def test_log_ins_are_on_record(vault: Client) -> None:
    login = login_of(vault, "recorded", "customer-4")
    vault.store_password(OLD, login=login)
    before = datetime.now(UTC) - timedelta(minutes=1)
    home = Origin(ip="192.0.2.17", device="phone", agent="browser", latitude=31.23, longitude=121.47)
    assert vault.verify_password(OLD, login=login, origin=home) == PasswordVerified(True)
    assert not vault.verify_password(NEW, login=login, origin=home)
    far = Origin(ip="198.51.100.9", device="tablet", latitude=-34.6, longitude=-58.4)
    assert vault.verify_password(OLD, login=login, origin=far) == PasswordVerified(True, True, True)
    found = list(
        vault.log_ins(subject="customer-4", purpose="subject_request", view="plain", since=before, page=2)
    )
    assert [one.result for one in found] == ["ok", "refused", "ok"]
    assert (found[0].ip, found[0].device, found[0].new_device) == ("198.51.100.9", "tablet", True)
    assert (found[2].agent, found[2].latitude) == ("browser", 31.23)
    (masked, *_) = vault.log_ins(login=login, purpose="support")
    assert masked.ip != found[0].ip
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert list(vault.log_ins(login=login, purpose="support", since=later)) == []
    with pytest.raises(NotFound):
        list(vault.log_ins(login_name="nobody", purpose="support"))


def test_an_import_is_verified_as_it_is_and_hashed_anew(vault: Client) -> None:
    names = ["import.one", "import.two", "import.three", "import.four"]
    for name in names[:3]:
        login_of(vault, name)
    old = bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode()
    done: list[int] = []
    hashes = [old, "nothing like a hash", None, old]
    taken = vault.import_passwords(hashes, login_names=names, progress=done.append)
    assert (taken.imported, len(taken), done) == (1, 4, [4])
    assert [(error.index, error.code) for error in taken.errors] == [
        (1, "unknown_scheme"), (3, "unknown_login"),
    ]  # fmt: skip
    assert repr(taken) == "<PasswordsImported: 4 items, 2 refused>"
    behind = vault.password_status()
    assert any(kind.startswith("bcrypt") for kind in behind.kinds)
    assert vault.verify_password(OLD, login_name=names[0])
    today = vault.password_status()
    assert (today.passwords, today.behind) == (behind.passwords, behind.behind - 1)
    again = vault.import_passwords(hashes[:1], login_names=names[:1])
    assert [error.code for error in again.errors] == ["password_exists"]
    assert vault.import_passwords([old], login_names=["import.two"], wrap=True).imported == 1
    assert any(kind.startswith("argon2id+bcrypt") for kind in vault.password_status().kinds)
    assert vault.verify_password(OLD, login_name="import.two")


def test_operations_are_granted_one_by_one(vault: Client, shop: Service) -> None:
    login = login_of(vault, "granted")
    with Client(shop.url, vault.create_api_key("door", ["verify"]).key) as door:
        assert not door.verify_password(OLD, login=login)
        for call in (
            lambda: door.store_password(OLD, login=login),
            lambda: door.unlock_login(login=login),
            lambda: list(door.log_ins(login=login, purpose="audit")),
        ):
            with pytest.raises(Forbidden):
                call()


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("fault", [hang_up, problem(503, "store_unavailable"), answer(b"busy", 503)])
def test_nothing_is_sent_twice_that_may_have_been_done(
    client: Client, faults: Faults, call: str, fault: Act
) -> None:
    faults.play(fault)
    with pytest.raises(StrongroomError):
        WRITES[call](client)
    assert len(faults.seen) == 1


@pytest.mark.parametrize("call", HASHES)
@pytest.mark.parametrize("code", ["hashing_busy", "hashing_unavailable"])
def test_what_was_not_done_is_sent_again(
    client: Client, faults: Faults, waits: list[float], call: str, code: str
) -> None:
    faults.play(problem(503, code, {"Retry-After": "1"}), answer(REPLY))
    HASHES[call](client)
    assert [request.body for request in faults.seen] == [faults.seen[0].body] * 2
    assert "idempotency-key" not in faults.seen[0].headers
    assert waits == [1.0]


def test_a_server_that_stays_busy_says_when_to_come_back(client: Client, faults: Faults) -> None:
    faults.play(problem(503, "hashing_busy", {"Retry-After": "7"}))
    with pytest.raises(Unavailable) as caught:
        client.verify_password(OLD, login_name=NAME)
    assert (caught.value.code, caught.value.retry_after, len(faults.seen)) == ("hashing_busy", 7.0, 1)


def test_a_locked_login_has_no_time_to_wait_for(client: Client, faults: Faults) -> None:
    faults.play(problem(429, "login_locked"))
    with pytest.raises(TooManyAttempts) as caught:
        client.verify_password(OLD, login_name=NAME)
    assert (caught.value.code, caught.value.retry_after, len(faults.seen)) == ("login_locked", None, 1)


def test_reading_is_tried_again_and_follows_the_cursor(client: Client, faults: Faults) -> None:
    def page(request: Any) -> dict[str, object]:
        one = {"token": "tok", "at": "2026-11-23T00:00:00Z", "result": "ok", "ip": ADDRESS}
        return {"logins": [one], "next_cursor": None if "cursor" in request.json else "2"}

    faults.play(hang_up, answer(page))
    found = list(client.log_ins(subject="s", purpose="legal", since=datetime(2026, 1, 1, tzinfo=UTC), page=1))
    assert [one.at for one in found] == [datetime(2026, 11, 23, tzinfo=UTC)] * 2
    asked = {
        "subject": "s",
        "purpose": "legal",
        "view": "masked",
        "since": "2026-01-01T00:00:00Z",
        "limit": 1,
    }
    assert [request.json for request in faults.seen] == [asked, asked, {**asked, "cursor": "2"}]


@pytest.mark.parametrize(("wrap", "most"), [(False, 1_000), (True, 16)])
def test_a_long_import_travels_in_several_requests(
    client: Client, faults: Faults, wrap: bool, most: int
) -> None:
    item = {"index": 1, "code": "unknown_scheme", "detail": "", "pointer": "/hashes/1"}
    faults.play(answer({"imported": most - 1, "errors": [item]}), answer({"imported": 5, "errors": []}))
    count, done = most + 5, list[int]()
    taken = client.import_passwords(
        [f"h{n}" for n in range(count)], subjects=[f"s{n}" for n in range(count)],
        salts=[None] * count, layout="md5(password+salt)", wrap=wrap, progress=done.append,
    )  # fmt: skip
    assert (taken.imported, done) == (count - 1, [most, count])
    assert taken.errors == [ItemError(1, "unknown_scheme", "unknown_scheme", "/hashes/1")]
    first, second = (request.json for request in faults.seen)
    assert (len(first["hashes"]), first["subjects"][0], second["subjects"][0]) == (most, "s0", f"s{most}")
    assert (first["layout"], first.get("wrap")) == ("md5(password+salt)", wrap or None)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.verify_password(OLD),
        lambda client: client.verify_password(OLD, login="t", subject="s"),
        lambda client: client.verify_password(OLD, login_nam=NAME),
        lambda client: client.verify_password(OLD.encode(), login="t"),
        lambda client: client.verify_password(OLD + "\ud800", login="t"),
        lambda client: client.change_password(OLD, None, login="t"),
        lambda client: client.store_password(OLD, login=7),
        lambda client: client.log_ins(purpose="audit"),
        lambda client: client.log_ins(purpose="audit", login="t", since=datetime(2026, 1, 1)),
        lambda client: client.import_passwords([HASH]),
        lambda client: client.import_passwords([HASH], logins=["t"], subjects=["s"]),
        lambda client: client.import_passwords([HASH] * 2, logins=["t"]),
        lambda client: client.import_passwords([HASH] * 2, logins=["t"] * 2, salts=[SALT]),
        lambda client: client.import_passwords([HASH], logins=[None]),
        lambda client: client.import_passwords([HASH], login_names="n"),
        lambda client: client.import_passwords("h", login_names=["n"]),
    ],
)
def test_what_cannot_be_meant_is_not_sent(client: Client, faults: Faults, call: Call) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call(client)
    assert faults.seen == []
    assert caught.value.__context__ is None
    assert not any(canary in text for text in texts(caught.value) for canary in CANARIES)


@pytest.mark.parametrize(
    "fault",
    [
        hang_up, silent(1), raw(ECHO.encode() + b"\r\n\r\n"), problem(422, "invalid_request", detail=ECHO, hint=ECHO),
        problem(403, "wrong_password", detail=ECHO, pointer=f"/{ECHO}", request_id=ECHO),
        answer(ECHO.encode(), 500, "text/plain"), answer({ECHO: ECHO}),
        answer({**REPLY, "score": ECHO, "verified": ECHO, "unlocked": ECHO, "logins": ECHO, "errors": [ITEM]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", CALLS)
def test_no_exception_or_log_repeats_what_was_sent(
    client: Client, faults: Faults, caplog: pytest.LogCaptureFixture, call: str, fault: Act
) -> None:
    caplog.set_level(logging.DEBUG)
    faults.play(fault)
    error: StrongroomError | None = None
    made: object = None
    try:
        made = CALLS[call](client)
    except StrongroomError as caught:
        error = caught
    if error is None:  # its words are withheld one by one
        assert call in ("import", "delete")
    else:
        assert (error.__cause__, error.__context__) == (None, None)
    said = [*texts(error), repr(made), repr(getattr(made, "errors", None)), caplog.text]
    assert not any(canary in text for text in said for canary in CANARIES)


@pytest.mark.parametrize("beside", [NAME, SALT])
def test_an_item_s_words_are_withheld_for_what_stood_beside_it(
    client: Client, faults: Faults, beside: str
) -> None:
    item = {**ITEM, "detail": f"not with {beside}", "pointer": f"/hashes/0/{beside}"}
    faults.play(answer({"imported": 0, "errors": [item]}))
    (error,) = client.import_passwords([HASH], login_names=[NAME], salts=[SALT]).errors
    assert error.detail == "refused; the server's words are withheld, they repeat what was sent"
    assert error.pointer == "/hashes/0"


def test_reprs_do_not_show(client: Client) -> None:
    record = LogIn(token="tok_live_1", at=datetime(2026, 11, 23, tzinfo=UTC), result="ok", ip=ADDRESS)
    assert repr(record) == "<LogIn: ok, 2026-11-23T00:00:00+00:00>"
    assert repr(WHERE) == "<Origin: ip, device, agent>"
    assert repr(Origin()) == "<Origin: unknown>"
