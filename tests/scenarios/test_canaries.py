"""Nothing that a caller sends is left in logs, database or temporary files, nor repeated in an error."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.scenarios import records
from tests.scenarios.caller import Answer, Caller, calling
from tests.scenarios.traces import held, places
from tests.service import Service, running

# Field, what is sent, and what may be found nowhere: every one good for its field, and seen nowhere else.
VALUES = {
    "bank_card": ("6200 0049 2938 4755", "6200004929384755"),
    "bank_account": ("9999 4638 2019 5574 3", "99994638201955743"),
    "iban": ("GB33 BUKB 2020 1555 5555 55", "GB33BUKB20201555555555"),
    "payment_account": ("canary.wallet.7731", "canary.wallet.7731"),
    "resident_id": ("440524188001010014", "440524188001010014"),
    "uscc": ("91330106673959654p", "91330106673959654P"),
    "passport": ("EK7654329", "EK7654329"),
    "phone": ("+86 134 9988 7766", "13499887766"),
    "email": ("canary.mail@example.com", "canary.mail"),
    "person_name": ("爨莺啭鸑鷟鹓鶵", "爨莺啭鸑鷟鹓鶵"),  # so long that no form of it comes about by chance
    "company_name": ("鸑鷟金丝雀有限公司", "鸑鷟金丝雀"),
    "address": ("北京市朝阳区鸑鷟路77号", "鸑鷟路77号"),
    "login_name": ("canary_login_name", "canary_login_name"),
    "text": ("a canary sings at noon", "canary sings"),
    "login_record": (
        '{"result": "ok", "ip": "203.0.113.77", "device": "canary-device-83"}',
        "canary-device-83",
    ),
}
TEXTS = {"text", "address", "person_name", "company_name", "login_name", "payment_account"}
SUBJECT, METADATA, REFUSED = "canary-subject-51", "canary-metadata-62", "canary-refused-73"
PASSWORD, OTHER, WRONG = (
    "plover sedge 27 marsh",
    "bittern reed 38 marsh",
    "curlew heath 49 marsh",
)  # not the person's
DIGEST, SALT = hashlib.sha256(b"canary-salt-61dunlin shore 72 marsh").hexdigest(), "canary-salt-61"
ONCE, AGENT, UNSEEN = "canary-once-84", "canary-agent-95", "canary-unseen-16"
LEGACY, PERSON = "dunlin shore 72 marsh", "canary-person-50"
PASSWORDS = [LEGACY, PERSON, PASSWORD, OTHER, WRONG, DIGEST, SALT]
SECRETS = [
    *(kept for _, kept in VALUES.values()),
    *PASSWORDS,
    SUBJECT,
    METADATA,
    REFUSED,
    ONCE,
    AGENT,
    UNSEEN,
]


def use(caller: Caller) -> Iterator[str]:
    """Send every value through every door that takes it and take it out again; yield the tokens and keys made."""
    for field, (sent, _) in VALUES.items():
        of = None if field == "login_record" else SUBJECT  # those of persons are written by the service alone
        about: dict[str, object] = {"metadata": {"note": METADATA}, **({} if of is None else {"subject": of})}
        token = caller.good(
            "/v1/tokens", {"field": field, "value": sent, **about}, Idempotency_Key=f"{ONCE}-{field}"
        )["token"]
        tokens = caller.tokens(field, [sent, sent], subjects=[None, of], metadata=[{"note": METADATA}, None])
        item = {"field": field, "value": sent, "source": "shop", **about}
        tokens += caller.good("/v1/tokens/items", {"items": [item, item]})["tokens"]
        if field not in {"address", "text", "login_record"}:
            tokens += caller.tokens(field, [sent], deterministic=True)
            caller.token(field, sent, kind="one_way")
            assert len(caller.good("/v1/find", {"field": field, "values": [sent]})["matches"][0]) > 3
        plain = {"tokens": [token], "purpose": "service", "view": "plain", "metadata": True}
        assert METADATA in str(caller.good("/v1/reveal", plain))
        for path, ask in (
            ("/v1/reveal", {"tokens": [token], "purpose": "support"}),
            ("/v1/tokens/describe", {"tokens": [token]}),
        ):
            quiet(caller.post(path, ask))
        quiet(caller.ask("GET", f"/v1/tokens/{token}"))
        yield from (one for one in (token, *tokens) if one.startswith("tok_"))
    caller.token("bank_card", VALUES["bank_card"][0], kind="shaped", lookalike=True)
    for path in (
        f"/v1/subjects/{SUBJECT}/tokens",
        "/v1/tokens?limit=100",
        "/v1/fields",
        "/metrics",
        "/openapi.json",
    ):
        quiet(caller.ask("GET", path))
    yield caller.good("/v1/apikeys", {"name": "shop", "operations": ["find"]}, Idempotency_Key=f"{ONCE}-k")[
        "key"
    ]


def misuse(caller: Caller) -> Iterator[Answer]:
    """Yield the replies to requests that must be refused."""
    for field in VALUES:
        bad = f"{REFUSED}\0" if field in TEXTS else REFUSED
        yield caller.post("/v1/tokens", {"field": field, "value": bad})
        yield caller.post("/v1/tokens", {"field": field, "value": {REFUSED: REFUSED}})
        yield caller.post(
            "/v1/tokens/column", {"field": field, "values": [bad, [REFUSED], None, f"%B{REFUSED}^x^?"]}
        )
        yield caller.post(
            "/v1/tokens/items", {"items": [{"field": field, "value": bad, "metadata": REFUSED}]}
        )
        yield caller.post("/v1/find", {"field": field, "values": [bad]})
    for body in bodies():
        for path in (
            "/v1/tokens",
            "/v1/tokens/column",
            "/v1/tokens/items",
            "/v1/reveal",
            "/v1/find",
            "/v1/apikeys",
        ):
            yield caller.post(path, body)
    tokens = {"tokens": [REFUSED, f"tok_live_{REFUSED}", "tok_live_" + "0" * 35, {REFUSED: 1}]}
    yield caller.post("/v1/reveal", {**tokens, "purpose": REFUSED})
    yield caller.post("/v1/reveal", {**tokens, "purpose": "service", "view": REFUSED})
    for path in ("/v1/reveal", "/v1/tokens/describe", "/v1/tokens/delete"):
        yield caller.post(path, {**tokens, "purpose": "service"})
        yield caller.post(path, {**tokens, "field": REFUSED})
    for path in (
        f"/v1/{REFUSED}", f"/{REFUSED}", f"/v1/tokens/{REFUSED}", f"/v1/tokens?field={REFUSED}",
        f"/v1/tokens?cursor={REFUSED}&{REFUSED}=1", f"/v1/subjects/{REFUSED}/tokens?limit={REFUSED}",
        f"/v1/tokens/tok_live_{REFUSED}", f"/livez/{REFUSED}", f"/v1/tokens/{b64encode(REFUSED.encode()).decode()}",
    ):  # fmt: skip
        for method in ("GET", "DELETE", "POST", "PUT", REFUSED.upper().replace("-", "")):
            yield caller.ask(method, path)
    yield caller.ask("DELETE", f"/v1/subjects/{REFUSED}")
    yield caller.ask("POST", f"/v1/apikeys/{REFUSED}/rotate", {})
    headers = {
        "User_Agent": AGENT,
        "Referer": AGENT,
        "Cookie": AGENT,
        "Origin": AGENT,
        "X_Request_Id": f"{AGENT}!",
    }
    yield caller.post(
        "/v1/tokens", {"field": "phone", "value": REFUSED}, Idempotency_Key=f"{ONCE}-r", **headers
    )
    yield caller.post(
        "/v1/tokens", {"field": "phone", "value": REFUSED}, Idempotency_Key=f"{ONCE}-\t", **headers
    )
    yield caller.ask("GET", "/v1/fields", Authorization=f"Bearer sr_live_{REFUSED}")
    yield caller.ask("GET", "/v1/fields", Authorization=f"Basic {b64encode(REFUSED.encode()).decode()}")
    yield caller.ask("POST", "/v1/tokens", {"field": "phone", "value": "1"}, Content_Type=f"text/{REFUSED}")


def bodies() -> Iterator[Any]:
    """Yield bodies that no way in takes."""
    yield from (
        {"field": REFUSED, "value": "x", "values": ["x"]},
        {"field": "phone", "value": "1", "kind": REFUSED},
        {"field": "phone", "value": "1", REFUSED: 1},
        {"field": "phone", "value": "1", "scope": f"{REFUSED} "},
        {"field": "phone", "value": "1", "source": f"{REFUSED} "},
        {"field": "phone", "value": "1", "subject": f"{REFUSED}\n"},
        {"field": "phone", "value": "1", "options": {"region": REFUSED}},
        {"field": "phone", "value": "1", "metadata": {REFUSED: REFUSED * 1_000}},
        {"field": "cvv", "value": REFUSED, "values": [REFUSED]},
        {"items": [{"field": REFUSED, "value": REFUSED}, {REFUSED: REFUSED}]},
        {"name": f"{REFUSED}/", "operations": [REFUSED], "fields": [REFUSED]},
        [REFUSED],
        REFUSED,
        f'{{"field": "phone", "value": "{REFUSED}'.encode(),
        f'{{"field": "phone", "value": "{REFUSED}\xff"}}'.encode("latin-1"),
        f'{{"field": "phone", "value": "{REFUSED}", "value": "{REFUSED}"}}'.encode(),
        f'{{"field": "phone", "value": "{REFUSED}\\ud800"}}'.encode(),
        f'{{"field": "phone", "values": ["{REFUSED}"{", 1" * 10_001}]}}'.encode(),
        b'{"field": "text", "value": "' + REFUSED.encode() * 500_000 + b'"}',
    )


def break_down(service: Service, caller: Caller) -> Iterator[Answer]:
    """Yield the replies of a service whose values do not open, and whose database lacks a table."""
    token = caller.token("text", UNSEEN, metadata={"note": UNSEEN})
    broken = "UPDATE token SET sealed = metadata, metadata = sealed WHERE subject IS NULL AND field = 'text'"
    assert records.change(service.database_url, broken) > 0
    for view in ("plain", "masked"):
        yield caller.post(
            "/v1/reveal", {"tokens": [token], "purpose": "service", "view": view, "metadata": True}
        )
    for table in ("audit_record", "token"):
        records.change(service.database_url, f"ALTER TABLE {table} RENAME TO away")
        for kind in ({}, {"deterministic": True}, {"kind": "one_way"}, {"kind": "shaped", "lookalike": True}):
            ask = {"field": "phone", "values": [VALUES["phone"][0]] * 30, "subjects": [UNSEEN] * 30, **kind}
            yield caller.post("/v1/tokens/column", ask, Idempotency_Key=f"{ONCE}-b-{json.dumps(kind)}")
        yield caller.post("/v1/find", {"field": "phone", "values": [VALUES["phone"][0]]})
        yield caller.post("/v1/reveal", {"tokens": [token], "purpose": "service"})
        yield caller.ask("DELETE", f"/v1/subjects/{SUBJECT}")
        yield caller.ask("GET", "/v1/tokens")
        records.change(service.database_url, f"ALTER TABLE away RENAME TO {table}")


def quiet(answer: Answer) -> None:
    """Check that a reply repeats nothing."""
    content = answer.raw + json.dumps(answer.headers).encode()
    assert held(SECRETS, content) == set(), answer.status


@pytest.fixture
def searched(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service whose temporary files are ours to search."""
    (tmp_path / "tmp").mkdir()
    debug = {"STRONGROOM_LOG_LEVEL": "debug", "TMPDIR": str(tmp_path / "tmp")}
    with running(tmp_path, database_url, **debug) as service:
        yield service


def log_in(caller: Caller) -> None:
    """Send passwords through every door that takes one, right, wrong and refused ones."""
    login = caller.token("login_name", "canary.login.83", subject=PERSON)
    origin = {"ip": "203.0.113.78", "device": AGENT, "agent": AGENT}
    for whose in ({"login": login}, {"subject": PERSON}):
        caller.good("/v1/passwords", {**whose, "password": PASSWORD})
        for password, right in ((PASSWORD, True), (WRONG, False)):
            told = caller.good("/v1/passwords/verify", {**whose, "password": password, "origin": origin})
            assert told["verified"] is right
        caller.good("/v1/passwords/change", {**whose, "password": PASSWORD, "new_password": OTHER})
        caller.good("/v1/passwords/reset", {**whose, "password": PASSWORD})
        for path, ask in (
            ("", {"password": PASSWORD}), ("/change", {"password": WRONG, "new_password": OTHER}),
            ("/verify", {"password": f"{WRONG}\0"}), ("/reset", {"password": WRONG * 100}),
            ("/verify", {"password": WRONG, "pepper": OTHER}), ("/change", {"password": PASSWORD, "new_password": "x"}),
        ):  # fmt: skip
            quiet(caller.post(f"/v1/passwords{path}", {**whose, **ask}))
    for wrap in (False, True):
        of = f"{PERSON}-{wrap}"
        ask = {
            "subjects": [of, of],
            "hashes": [DIGEST, WRONG],
            "salts": [SALT] * 2,
            "layout": "sha256(salt+password)",
        }
        quiet(caller.post("/v1/passwords/import", {**ask, "wrap": wrap}))
        assert caller.good("/v1/passwords/verify", {"subject": of, "password": LEGACY})["verified"]
    caller.good("/v1/logins/list", {"subject": PERSON, "purpose": "audit", "view": "plain"})


def test_nothing_sent_is_left_behind(searched: Service, tmp_path: Path) -> None:
    with calling(searched) as caller:
        made = list(use(caller))
        log_in(caller)
        for answer in misuse(caller):
            assert answer.status < 500, answer.raw
            quiet(answer)
        for answer in break_down(searched, caller):
            assert answer.status in {500, 503}, answer.raw
            quiet(answer)
        quiet(caller.ask("GET", "/metrics"))
        found = {name: held(SECRETS, content) for name, content in places(searched, tmp_path)}
        assert not any(found.values()), {name: texts for name, texts in found.items() if texts}
        assert caller.ask("DELETE", f"/v1/subjects/{SUBJECT}").status == 200
    log = searched.log.read_bytes()
    assert held([*made, *searched.keys.values()], log) == set()
    assert searched.stop() == 0
    keys = [key for key in (*made, *searched.keys.values()) if key.startswith("sr_")]
    found = {name: held([*SECRETS, *keys], content) for name, content in places(searched, tmp_path)}
    assert not any(found.values()), {name: texts for name, texts in found.items() if texts}


@pytest.mark.parametrize("text", SECRETS)
def test_the_search_finds_every_form(text: str) -> None:
    raw, wide = text.encode(), text.encode("utf-16-le")
    for content in (
        raw, wide, text.encode("utf-16-be"), raw.hex().encode(), raw.hex().upper().encode(), wide.hex().encode(),
        b64encode(raw), b64encode(b"1" + raw), b64encode(b"12" + raw), b64encode(b"12" + wide),
        quote(text).encode(), quote(text).lower().encode(), json.dumps(text).encode(), ascii(text).encode(),
    ):  # fmt: skip
        assert held([text], b"before" + content + b"after") == {text}


def test_the_search_looks_everywhere(searched: Service, tmp_path: Path) -> None:
    """A canary set free in each place is seen there."""
    planted = "canary-planted-27"
    (tmp_path / "tmp" / "left.txt").write_bytes(b64encode(b"x" + planted.encode()))
    with searched.log.open("ab") as log:
        log.write(planted.encode("utf-16-le"))
    with calling(searched) as caller:
        caller.token("phone", "+8613800138000", source=planted)
    found = {name: held([planted, str(tmp_path)], content) for name, content in places(searched, tmp_path)}
    seen = {name for name, texts in found.items() if planted in texts}
    assert {"tmp/left.txt", "service.log"} <= seen
    if searched.database_url.startswith("postgresql"):
        assert "table token" in seen
        assert any(name.startswith("server pg_wal") for name in seen)
    else:
        assert any(name.endswith(".db-wal") for name in seen)
    assert str(tmp_path) in found["process environ"]
    assert "process cmdline" in found
