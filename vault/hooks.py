"""Ways to tell people of an alarm: a webhook after Standard Webhooks 1.0.0, and mail. Nothing in them is a value."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from vault.alarms import KINDS
from vault.errors import InvalidRequest
from vault.sinks.posting import Untrusted, is_fit, post
from vault.store.alarms import Alarm

SECONDS = 3.0  # for one attempt
LEAST_SECRET, MOST_SECRET = 24, 512  # bytes (Standard Webhooks, "Signature scheme")
_PREFIX = "whsec_"
_DONE = 200


class NotTold(Exception):
    """The hook did not take the alarm; `code` is stable. `for_good`: it never will."""

    def __init__(self, code: str, for_good: bool = False) -> None:
        super().__init__(code)
        self.code, self.for_good = code, for_good


class Hook(Protocol):
    """A way to tell people."""

    name: str  # a kind and where; no secret, and nothing of an address that may be one

    def tell(self, alarm: Alarm) -> None:
        """Return once it is told; NotTold if it could not be."""


class Webhook:
    """Posts JSON, signed with a secret that both sides know."""

    def __init__(self, url: str, secret: bytes, clock: Callable[[], float]) -> None:
        """Args: `secret` as `secret_of` returns it; `clock` gives seconds since 1970.

        Raises InvalidRequest unless the address is https, or http of this machine.
        """
        if not is_fit(url):
            raise InvalidRequest("a webhook's address is https, or http of this machine")
        digest = hashlib.sha256(url.encode()).hexdigest()[
            :8
        ]  # its path may be a secret, as chat services have them
        self.name = f"webhook:{urlsplit(url).netloc}:{digest}"
        self._url, self._secret, self._clock = url, secret, clock

    def tell(self, alarm: Alarm) -> None:
        """Post the alarm; its id is the message's in every attempt, so that the receiver may drop repeats."""
        body, at = json.dumps(message(alarm), separators=(",", ":")).encode(), int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "strongroom",
            "webhook-id": alarm.id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._secret, alarm.id, at, body),
        }
        try:
            status = post(self._url, body, headers, SECONDS).status
        except Untrusted:
            raise NotTold("hook_untrusted") from None
        except OSError:
            raise NotTold("hook_unreachable") from None
        if status == 410:  # Gone: it wants no more of them
            raise NotTold("hook_gone", for_good=True)
        if not _DONE <= status < 300:
            raise NotTold("hook_refused")


class Mail:
    """Hands a message to a program that takes one as sendmail does, on its standard input."""

    def __init__(self, program: Path, sender: str, to: str) -> None:
        """Args: addresses as `name@domain`; InvalidRequest if one is none, or the program's path is not absolute."""
        if not program.is_absolute():
            raise InvalidRequest("the program that takes mail is named by an absolute path")
        for address in (sender, to):
            if not _is_address(address):
                raise InvalidRequest("a mail address is none")
        self.name = f"mail:{to}"
        self._program, self._sender, self._to = program, sender, to

    def tell(self, alarm: Alarm) -> None:
        """Hand over the message; the program's exit code says whether it was taken."""
        command = [str(self._program), "-i", "-f", self._sender, "--", self._to]
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own program
                command,
                input=self._message(alarm).as_bytes(),
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            raise NotTold("hook_unreachable") from None
        if done.returncode != 0:
            raise NotTold("hook_refused")

    def _message(self, alarm: Alarm) -> EmailMessage:
        """Return the message (RFC 5322)."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, self._to
        mail["Subject"] = f"strongroom: {alarm.kind}"
        mail["Date"] = format_datetime(datetime.fromtimestamp(alarm.at / 1e6, UTC))
        mail["Message-ID"] = f"<{alarm.id}@strongroom.invalid>"  # the same in every attempt
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5
        mail.set_content("\n".join(_text(alarm)))
        return mail


def message(alarm: Alarm) -> dict[str, object]:
    """Return what a webhook's body says of an alarm."""
    return {
        "type": f"alarm.{alarm.kind}",
        "timestamp": _moment(alarm.at),
        "data": {
            "id": alarm.id, "kind": alarm.kind, "tenant": alarm.business or None, "mode": alarm.mode or None,
            "caller": alarm.caller or None, "request_id": alarm.request_id or None, "detail": alarm.detail,
        },
    }  # fmt: skip


def signature(secret: bytes, message_id: str, at: int, body: bytes) -> str:
    """Return the header `webhook-signature`: HMAC-SHA256 over id, time and body (scheme v1)."""
    signed = f"{message_id}.{at}.".encode() + body
    return f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"


def secret_of(text: str) -> bytes:
    """Return the bytes of a secret as it is written, `whsec_` and base64; InvalidRequest if it is none."""
    try:
        secret = b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
    except (ValueError, NotBase64):
        secret = b""
    if not LEAST_SECRET <= len(secret) <= MOST_SECRET:
        raise InvalidRequest(
            f"a webhook's secret is whsec_ and {LEAST_SECRET} to {MOST_SECRET} bytes in base64"
        )
    return secret


def _text(alarm: Alarm) -> list[str]:
    said = [
        KINDS.get(alarm.kind, alarm.kind),
        "",
        f"When: {_moment(alarm.at)}",
        f"Business: {alarm.business} ({alarm.mode})" if alarm.business else "Business: all",
    ]
    said += [f"Cause: {alarm.caller}"] if alarm.caller else []
    said += [f"Request: {alarm.request_id}"] if alarm.request_id else []
    said += [f"{name}: {value}" for name, value in alarm.detail.items()]
    return [*said, f"Alarm: {alarm.id}", ""]


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _is_address(text: str) -> bool:
    """Whether a text can stand in a header and an argument as a mail address; that it is somebody's, mail will show."""
    name, at, domain = text.partition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' ,;:<>()[]"\\')
    return bool(name and at and domain) and plain and "@" not in domain and not text.startswith("-")
