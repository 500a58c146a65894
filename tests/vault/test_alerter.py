"""People are told of alarms: by signed webhooks and mail, until it is taken or a day is over."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.vault.conftest import Shop, open_shop
from tests.vault.sinks.receivers import Receiver
from tests.vault.webhooks import Inbox, receiving
from vault import hooks
from vault.alarming import Alarms
from vault.alarms import raise_alarm
from vault.alerter import Alerter
from vault.errors import InvalidRequest
from vault.hooks import Hook, Mail, NotTold, Webhook
from vault.store.alarms import Alarm

SECRET = hooks.secret_of("whsec_" + b64encode(b"a secret of 32 bytes for a test!").decode())
ALARM = Alarm(
    "alm_1", 7, "shop", "live", "sweep", {"misses": 1_000}, "key_1", "request-1", 1_800_000_000_000_000
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Shop]:
    shop = open_shop(f"sqlite:///{tmp_path}/vault.db")
    yield shop
    shop.vault.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving() as made:
        yield made


def alerter(shop: Shop, *told: Hook) -> Alerter:
    def failed(error: Exception) -> None:
        raise error

    return Alerter(shop.resources, told, "test", lambda: False, lambda _: None, failed)


def webhook(shop: Shop, url: str) -> Webhook:
    return Webhook(url, SECRET, shop.resources.database.clock)


def raised(shop: Shop, kind: str = "sweep", **detail: str | int) -> str:
    return shop.resources.database.write(
        lambda transaction: raise_alarm(transaction, shop.actor, kind, detail)
    )


def problems(shop: Shop) -> list[tuple[str | None, int, bool]]:
    """Return problem, attempts and whether it was sent, of every delivery."""
    with shop.resources.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT problem, attempts, sent_at FROM alarm_delivery").all()
    return [(problem, attempts, sent is not None) for problem, attempts, sent in rows]


def test_the_signature_is_the_published_one() -> None:
    """The vector of the libraries at github.com/standard-webhooks/standard-webhooks (test "sign function works")."""
    secret = hooks.secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = hooks.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_says_what_happened(home: Shop, inbox: Inbox) -> None:
    alarm_id = raised(home, misses=1_000)
    assert alerter(home, webhook(home, inbox.url)).run_once() == 1
    ((headers, body),) = inbox.got
    said, at = json.loads(body), int(headers["webhook-timestamp"])
    assert headers["webhook-id"] == alarm_id
    assert headers["webhook-signature"] == hooks.signature(SECRET, alarm_id, at, body)
    assert at == pytest.approx(time.time(), abs=60)
    assert said["type"] == "alarm.sweep"
    assert said["data"] == {
        "id": alarm_id, "kind": "sweep", "tenant": "shop", "mode": "live", "caller": home.actor.name,
        "request_id": home.actor.request_id, "detail": {"misses": 1_000},
    }  # fmt: skip


def test_each_hook_is_told_once(home: Shop, inbox: Inbox) -> None:
    raised(home)
    both = [webhook(home, inbox.url), webhook(home, inbox.url + "?second")]
    assert [alerter(home, *both).run_once() for _ in range(3)] == [2, 0, 0]


def test_it_is_tried_again_later_and_later_for_a_day(home: Shop, inbox: Inbox) -> None:
    raised(home)
    inbox.status = 503
    teller = alerter(home, webhook(home, inbox.url))
    waits = []
    for _ in range(11):
        before = len(inbox.got)
        waited = 0
        while len(inbox.got) == before:
            teller.run_once()
            home.later(1 if waited < 10 else 10)
            waited += 1 if waited < 10 else 10
        waits.append(waited)
    assert waits == sorted(waits)
    assert 290 <= waits[-1] <= 320
    assert len({headers["webhook-id"] for headers, _ in inbox.got}) == 1
    home.later(86_400)
    before = len(inbox.got)
    teller.run_once()
    assert len(inbox.got) == before
    assert problems(home) == [("hook_refused", 11, False)]


def test_one_hook_that_fails_holds_up_no_other(home: Shop, inbox: Inbox) -> None:
    raised(home)
    told = alerter(home, webhook(home, "http://127.0.0.1:9/nobody"), webhook(home, inbox.url)).run_once()
    assert told == len(inbox.got) == 1


def test_who_wants_no_more_is_not_asked_again(home: Shop, inbox: Inbox) -> None:
    raised(home)
    inbox.status = 410
    teller = alerter(home, webhook(home, inbox.url))
    for _ in range(5):
        teller.run_once()
        home.later(400)
    assert len(inbox.got) == 1


def test_no_redirect_is_followed(home: Shop, inbox: Inbox) -> None:
    with receiving() as other:
        inbox.status, inbox.location = 307, other.url
        with pytest.raises(NotTold, match="hook_refused"):
            webhook(home, inbox.url).tell(ALARM)
        assert not other.got


@pytest.mark.parametrize("way", ["silent", "drip", "hang up"])
def test_a_receiver_that_does_not_answer_ends_in_time(
    home: Shop, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "SECONDS", 0.3)
    receiver = Receiver()
    receiver.way = way
    with pytest.raises(NotTold, match="hook_unreachable"):
        webhook(home, f"http://127.0.0.1:{receiver.port}/").tell(ALARM)
    receiver.close()


def test_a_mail_goes_to_the_program(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\ncat > {tmp_path}/message\n')
    program.chmod(0o700)
    Mail(program, "vault@shop.example", "security@shop.example").tell(ALARM)
    assert (tmp_path / "arguments").read_text().split() == [
        "-i", "-f", "vault@shop.example", "--", "security@shop.example",
    ]  # fmt: skip
    mail = message_from_bytes((tmp_path / "message").read_bytes(), policy=policy.default)
    assert (mail["from"], mail["to"]) == ("vault@shop.example", "security@shop.example")
    assert mail["subject"] == "strongroom: sweep"
    text = mail.get_content()
    for part in (
        "tries them out",
        "shop (live)",
        "key_1",
        "request-1",
        "misses: 1000",
        "2027-01-15T08:00:00",
    ):
        assert part in text


@pytest.mark.parametrize(("script", "code"), [("exit 75", "hook_refused"), (None, "hook_unreachable")])
def test_a_program_that_fails_is_tried_again(
    home: Shop, tmp_path: Path, script: str | None, code: str
) -> None:
    program = tmp_path / "sendmail"
    if script is not None:
        program.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
        program.chmod(0o700)
    raised(home)
    alerter(home, Mail(program, "vault@shop.example", "security@shop.example")).run_once()
    assert problems(home) == [(code, 1, False)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Webhook("http://example.org/x", SECRET, time.time),
        lambda: Webhook("https://user:hunter2@example.org/x", SECRET, time.time),
        lambda: Webhook("file:///etc/passwd", SECRET, time.time),
        lambda: hooks.secret_of("hunter2"),
        lambda: hooks.secret_of("whsec_aHVudGVyMg=="),
        lambda: Mail(Path("sendmail"), "a@b.example", "c@d.example"),
        lambda: Mail(Path("/usr/sbin/sendmail"), "a@b.example", "-oQ/tmp@hunter2"),
        lambda: Mail(Path("/usr/sbin/sendmail"), "a@b.example\nBcc: hunter2@x", "c@d.example"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(make: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        make()  # type: ignore[operator]
    assert "hunter2" not in str(refused.value)


def test_a_hooks_name_does_not_tell_its_address(home: Shop) -> None:
    hook = webhook(home, "https://chat.example/services/T0/secret")
    assert "secret" not in hook.name
    assert hook.name.startswith("webhook:chat.example:")


def test_records_that_nobody_seals_raise_an_alarm(home: Shop) -> None:
    home.tokenize("phone", "+8613800138000")
    alerter(home).run_once()
    assert Alarms(home.resources).list(home.actor).alarms == []
    home.later(60)
    alerter(home).run_once()
    (alarm,) = Alarms(home.resources).list(home.actor).alarms
    assert alarm.kind == "audit_behind"
