"""Nothing that a caller sends is left in logs, database or temporary files, nor repeated in an error."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.service import Service, running

# Field, what is sent, and what may be found nowhere: every one good for its field, and seen nowhere else.
VALUES = {
    "bank_card": ("6200 0049 2938 4755", "6200004929384755"),
    "bank_account": ("9999 4638 2019 5574 3", "99994638201955743"),
    "iban": ("GB33 BUKB 2020 1555 5555 55", "GB33BUKB20201555555555"),
    "payment_account": ("canary.wallet.7731", "canary.wallet.7731"),
    "resident_id": ("440524188001010014", "440524188001010014"),
    "uscc": ("91350100m000100y43", "91350100M000100Y43"),
    "passport": ("L898902C3", "L898902C3"),
    "phone": ("+86 134 9988 7766", "13499887766"),
    "email": ("canary.mail@example.com", "canary.mail"),
    "person_name": ("爨莺啭", "爨莺啭"),
    "company_name": ("鸑鷟金丝雀有限公司", "鸑鷟金丝雀"),
    "address": ("北京市朝阳区鸑鷟路77号", "鸑鷟路77号"),
    "login_name": ("canary_login_name", "canary_login_name"),
    "text": ("a canary sings at noon", "canary sings"),
}
SUBJECT, METADATA, REFUSED = "canary-subject-51", "canary-metadata-62", "canary-refused-73"


def forms(text: str) -> Iterator[bytes]:
    """Yield `text` raw, in hex, in base64 at each of its three places, URL-encoded and as JSON escapes it."""
    raw = text.encode()
    yield from (
        raw,
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(text).encode(),
        json.dumps(text)[1:-1].encode(),
    )
    for at in range(3):  # how many bytes of something else stand before it in its group of three
        encoded = b64encode(bytes(at) + raw)
        yield encoded[4 if at else 0 : len(encoded) // 4 * 4 - 4]


SECRETS = {
    form: text
    for text in (*(kept for _, kept in VALUES.values()), SUBJECT, METADATA, REFUSED)
    for form in forms(text)
}


def found_in(content: bytes) -> set[str]:
    return {text for form, text in SECRETS.items() if form in content}


def ask(service: Service, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {service.keys['live']}", "Content-Type": "application/json"}
    sent |= {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        request = urllib.request.Request(service.url + path, data, sent, method=method)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def good(service: Service, path: str, body: dict[str, Any], **headers: str) -> Any:
    status, reply = ask(service, "POST", path, body, **headers)
    assert status in (200, 201), reply
    answer = json.loads(reply)
    assert not answer.get("errors"), answer["errors"]
    return answer


def use(service: Service) -> None:
    """Send every value through every door that takes it, and take it out again."""
    about = {"subject": SUBJECT, "metadata": {"note": METADATA}}
    for field, (sent, _) in VALUES.items():
        token = good(
            service, "/v1/tokens", {"field": field, "value": sent, **about}, Idempotency_Key=f"once-{field}"
        )["token"]
        column = {"field": field, "values": [sent, sent], "subjects": [None, SUBJECT]}
        tokens = good(service, "/v1/tokens/column", column)["tokens"]
        if field not in {"address", "text"}:
            good(service, "/v1/tokens/column", {"field": field, "values": [sent], "deterministic": True})
            good(service, "/v1/tokens", {"field": field, "value": sent, "kind": "one_way"})
            assert len(good(service, "/v1/find", {"field": field, "values": [sent]})["matches"][0]) > 3
        good(service, "/v1/reveal", {"tokens": [token], "purpose": "support"})
        plain = {"tokens": [token, *tokens], "purpose": "service", "view": "plain", "metadata": True}
        assert METADATA in str(good(service, "/v1/reveal", plain))
    good(service, "/v1/tokens", {"field": "bank_card", "value": VALUES["bank_card"][0], "kind": "shaped"})


def misuse(service: Service) -> Iterator[tuple[int, bytes]]:
    """Yield the replies to requests that must be refused."""
    for field in VALUES:
        yield ask(service, "POST", "/v1/tokens", {"field": field, "value": f"{REFUSED}\0"})
        yield ask(service, "POST", "/v1/tokens", {"field": field, "value": {REFUSED: REFUSED}})
    for body in (
        {"field": REFUSED, "value": "x"},
        {"field": "phone", "value": "1", "kind": REFUSED},
        {"field": "phone", "value": "1", REFUSED: 1},
        {"field": "phone", "value": "1", "scope": f"{REFUSED} "},
        {"field": "phone", "value": "1", "subject": f"{REFUSED}\n"},
        f'{{"field": "phone", "value": "{REFUSED}'.encode(),
        f'{{"field": "phone", "value": "{REFUSED}\xff"}}'.encode("latin-1"),
        [REFUSED],
        {"field": "cvv", "value": REFUSED},
    ):
        yield ask(service, "POST", "/v1/tokens", body)
    yield ask(service, "POST", "/v1/reveal", {"tokens": ["tok_live_" + "0" * 35], "purpose": REFUSED})
    yield ask(service, "POST", "/v1/tokens/delete", {"tokens": [REFUSED], "field": REFUSED})
    yield ask(service, "GET", f"/v1/{REFUSED}")
    yield ask(service, "GET", f"/v1/tokens/{REFUSED}")
    yield ask(service, "GET", f"/v1/tokens?field={REFUSED}")
    yield ask(service, "GET", f"/v1/tokens?cursor={REFUSED}&{REFUSED}=1")
    yield ask(service, "GET", "/v1/fields", Authorization=f"Bearer sr_live_{REFUSED}")
    yield ask(
        service,
        "POST",
        "/v1/tokens",
        {"field": "phone", "value": REFUSED},
        Idempotency_Key=REFUSED,
        User_Agent=REFUSED,
    )
    yield ask(service, "DELETE", f"/v1/subjects/{REFUSED}")


def kept(folder: Path, database_url: str) -> Iterator[tuple[str, bytes]]:
    """Yield everything that the service wrote: the files under `folder`, and PostgreSQL's rows."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()
    if database_url.startswith("postgresql"):
        with psycopg.connect(database_url) as connection:
            names = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (name,) in names:
                for (row,) in connection.execute(f"SELECT t::text FROM {name} t"):
                    yield name, row.encode()


@pytest.fixture
def searched(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service whose temporary files are ours to search."""
    (tmp_path / "tmp").mkdir()
    debug = {"STRONGROOM_LOG_LEVEL": "debug", "TMPDIR": str(tmp_path / "tmp")}
    with running(tmp_path, database_url, **debug) as service:
        yield service


def test_nothing_sent_is_left_behind(searched: Service, tmp_path: Path) -> None:
    use(searched)
    refused = list(misuse(searched))
    assert {status for status, _ in refused} <= {400, 401, 404, 422}
    assert [reply for _, reply in refused if found_in(reply)] == []
    while_it_runs = {name: found_in(content) for name, content in kept(tmp_path, searched.database_url)}
    assert ask(searched, "DELETE", f"/v1/subjects/{SUBJECT}")[0] == 200
    assert searched.stop() == 0
    after = {name: found_in(content) for name, content in kept(tmp_path, searched.database_url)}
    assert not any(while_it_runs.values()), while_it_runs
    assert not any(after.values()), after


@pytest.mark.parametrize("text", [*(kept for _, kept in VALUES.values()), SUBJECT])
def test_the_search_finds_every_form(text: str) -> None:
    raw = text.encode()
    for content in (
        raw,
        raw.hex().encode(),
        b64encode(raw),
        b64encode(b"1" + raw),
        b64encode(b"12" + raw),
        quote(text).encode(),
    ):
        assert text in found_in(b"before" + content + b"after")
