"""Nobody writes a line of the log, or a record of the audit, but the service; whatever a request says."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.api.callers.issuing import AUDIENCE, EC, ISSUER, key_set
from tests.scenarios import records
from tests.scenarios.campaign import rounds
from tests.scenarios.hostile import CANARY, Attacker
from tests.scenarios.traces import held
from tests.service import Service, running
from vault.audit.leaf import Record, decode, encode
from vault.granting import OPERATIONS

FILE = f"""
[[oidc]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
tenant = "shop"
mode = "live"
jwks_file = "jwks.json"
claims = ["groups", "jti"]
"""
KNOWN = frozenset({
    "method", "route", "status", "ms", "request_id", "key", "why", "items", "refused", "event", "level", "timestamp",
})  # fmt: skip  # of the line of a request
CALLER = re.compile(r"(key_[0-9a-f]{16}|bootstrap|oidc:login\.example\.com/realms/shop#[!-~]{1,93})")
REQUEST = re.compile(r"[A-Za-z0-9_-]{1,64}")
WORDS = re.compile(r"[a-z0-9_ -]{0,64}")


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[Service]:
    """A service at a Unix socket, so that what a proxy writes is read, too."""
    (tmp_path / "callers.toml").write_text(FILE)
    (tmp_path / "jwks.json").write_bytes(key_set(EC))
    settings = {
        "STRONGROOM_SOCKET": str(tmp_path / "http.sock"), "STRONGROOM_CALLERS_FILE": str(tmp_path / "callers.toml"),
        "STRONGROOM_CLIENT_CERTIFICATES": "true", "STRONGROOM_WORKERS": "1", "STRONGROOM_LOG_LEVEL": "debug",
        "STRONGROOM_ORIGIN_HEADER": "forwarded",
    }  # fmt: skip
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", "--no-worker", **settings) as service:
        yield service


def told(path: str, request: bytes) -> bytes:
    """Return what a service answers on a connection of its own."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.settimeout(60)
        connection.connect(path)
        connection.sendall(request)
        while piece := connection.recv(65_536):
            answer += piece
    return answer


def forged(log: bytes) -> list[bytes]:
    """Return the lines of a log that no service of ours wrote, or not so."""
    return [line for line in log.split(b"\n")[:-1] if not _is_ours(line)] + [log.split(b"\n")[-1]] * (
        log[-1:] != b"\n"
    )


def _is_ours(line: bytes) -> bool:
    if line.startswith(b"strongroom serves at unix:/"):
        return line.isascii()
    try:
        found = json.loads(line)
    except ValueError:
        return False
    if not isinstance(found, dict) or not line.isascii() or not line.decode().isprintable():
        return False
    return found.keys() <= KNOWN and found["event"] == "request" and CANARY not in line.decode()


def unlike(record: Record) -> list[str]:
    """Return the parts of an audit record that are not of our form."""
    parts = {
        "actor": CALLER.fullmatch(record.actor), "request_id": REQUEST.fullmatch(record.request_id),
        "operation": WORDS.fullmatch(record.operation), "field": WORDS.fullmatch(record.field),
        "purpose": WORDS.fullmatch(record.purpose), "view": WORDS.fullmatch(record.view),
        "result": WORDS.fullmatch(record.result), "target": re.fullmatch(r"[!-~]{0,64}", record.target),
        "reference": re.fullmatch(r"[ -~]{0,160}", record.reference),
        "origin": not record.origin or ipaddress.ip_address(record.origin),
    }  # fmt: skip
    return [name for name, good in parts.items() if not good]


def test_nobody_else_writes_log_or_audit(attacked: Service) -> None:
    attacker = Attacker(seed=6, key=attacked.keys["live"], now=time.time())
    statuses: Counter[bytes] = Counter()
    path = attacked.settings["STRONGROOM_SOCKET"]
    for request in attacker.requests(rounds(600, 10_000)):
        answer = told(path, request)
        statuses[answer[9:12]] += 1
        assert held([CANARY], answer) == set(), request
        assert not answer.startswith(b"HTTP/1.1 5"), request
    assert {b"200", b"400", b"401", b"403", b"404", b"405", b"422"} <= statuses.keys()  # all kinds of doors
    log = attacked.log.read_bytes()
    assert held([CANARY, attacked.keys["live"]], log) == set()
    assert forged(log) == []
    leaves = [bytes(row[0]) for row in records.rows(attacked.database_url, "SELECT leaf FROM audit_record")]
    found = [decode(leaf) for leaf in leaves]  # which raises for what is not canonical
    assert [leaf for leaf, record in zip(leaves, found, strict=True) if encode(record) != leaf] == []
    assert {part for record in found for part in unlike(record)} == set()
    assert held([CANARY], b"\n".join(leaves)) == set()
    assert len({record.actor for record in found}) > 5  # among them those whom hostile subjects name


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"request","level":"info","user":"root"}', b"root logged in", b"", b'{"event":"login"}',
        b'["request"]',
        b'{"event":"request","key":"\xe2\x80\xae"}', b'{"event":"request","key":"\x1b[2K"}', b"strongroom serves at x",
        b'{"event":"request","key":"' + CANARY.encode() + b'"}', b'{"event":"request"}\r', b'{"event":"request"}{}',
    ],
)  # fmt: skip
def test_a_forged_line_is_seen(line: bytes) -> None:
    good = b'{"event":"request","level":"info","status":200}\n'
    assert forged(good) == []
    assert forged(good + line + b"\n" + good) == [line]
    assert forged(good + b"cut off") == [b"cut off"]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("actor", "key_0\n"),
        ("actor", "root"),
        ("request_id", "a b"),
        ("result", "ok\n"),
        ("view", "\u202e"),
        ("target", "é"),
    ],
)
def test_a_record_unlike_ours_is_seen(part: str, text: str) -> None:
    good = {
        "actor": "key_" + "0" * 16,
        "request_id": "r",
        "operation": OPERATIONS[0],
        "view": "",
        "result": "ok",
    }
    made = {"field": "phone", "purpose": "", "target": "", **good, part: text}
    record = Record(id=b"i", at=1, tenant=1, count=0, refused=0, key=1, tokens=b"", **made)
    assert unlike(record) == [part]
