"""Tokens and certificates at the door: who comes in, what for, what is put on record of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api import create_app
from api.config import Settings
from tests.api.audit import records
from tests.api.callers.certificates import Authority, header, uri
from tests.api.callers.issuing import AUDIENCE, EC, ISSUER, key_set, token
from tests.api.door import Clock, Door, problem
from vault.audit.leaf import Record
from vault.granting import Made
from vault.resources import Resources
from vault.service import Vault
from vault.store import policies
from vault.store.policies import Taken
from vault.store.writer import Transaction

FILE = f"""
[[oidc]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
tenant = "shop"
mode = "live"
jwks_file = "jwks.json"
claims = ["groups"]

[[certificate]]
tenant = "shop"
mode = "live"
names = ["spiffe://shop/settlement"]

[[certificate]]
tenant = "shop"
mode = "test"
names = ["spiffe://shop/tests"]
"""
UNAUTHENTICATED, FORBIDDEN = (401, "unauthenticated", None), (403, "forbidden", None)
AUTHORITY = Authority()
ASK = {"field": "phone", "values": ["13800138000"]}


POLICY = f"""
format = 1

[roles.all]
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "what API keys carry"

[roles.desk]
[[roles.desk.allow]]
operations = ["tokenize"]
fields = ["*"]
[[roles.desk.allow]]
operations = ["apikeys"]

[roles.settlement]
[[roles.settlement.allow]]
operations = ["tokenize"]
fields = ["*"]

[roles.greedy]
[[roles.greedy.allow]]
operations = ["roots", "backups", "keys"]

[callers]
"key_*" = ["all"]

[[claims]]
issuer = "{ISSUER}"
claim = "groups"
value = "desk"
roles = ["desk"]

[[claims]]
issuer = "{ISSUER}"
claim = "groups"
value = "greedy"
roles = ["greedy"]

[[certificates]]
name = "spiffe://shop/settlement"
roles = ["settlement"]
"""


class Front:
    """The proxy in front: what it sends over its Unix socket; `peer` for what comes over TCP."""

    def __init__(self, app: Flask, settings: Settings, clock: Clock) -> None:
        self.door, self.clock, self._database = (
            Door(app, ""),
            clock,
            settings.root_key_file.parent / "vault.db",
        )

    def send(
        self,
        bearer: str | None = None,
        peer: str = "",
        path: str = "/v1/tokens/column",
        body: object = ASK,
        **headers: str,
    ) -> TestResponse:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        return self.door.client.open(
            path, method="GET" if body is None else "POST", json=body, headers=sent,
            environ_overrides={"REMOTE_ADDR": peer},
        )  # fmt: skip

    def last(self) -> Record:
        return records(self._database)[-1]

    def token(self, **claims: object) -> str:
        now = self.clock.now
        return token("ES256", {}, **{"iat": now - 10, "exp": now + 600, **claims})

    def certificate(self, name: str = "spiffe://shop/settlement") -> str:
        now = datetime.fromtimestamp(self.clock.now, UTC)
        begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
        return header(AUTHORITY.sign("CN=x", uri(name), begin=begin, end=end))


@pytest.fixture(scope="module")
def file(settings: Settings) -> Path:
    folder = settings.root_key_file.parent
    (folder / "callers.toml").write_text(FILE)
    (folder / "jwks.json").write_bytes(key_set(EC))
    return folder / "callers.toml"


@pytest.fixture(scope="module")
def front(
    settings: Settings, vault: Vault, clock: Clock, made: dict[Any, Made], file: Path, resources: Resources
) -> Front:
    tenant = made["live"][0].tenant

    def work(transaction: Transaction) -> None:
        digest = hashlib.sha256(POLICY.encode()).digest()
        policies.add(transaction, tenant, Taken(1, POLICY, digest, "key_0", None, transaction.now))

    resources.database.write(work)
    resources.policies.forget(tenant)
    believed = {"callers_file": file, "socket": file.with_name("http.sock"), "client_certificates": True}
    return Front(create_app(settings.model_copy(update=believed), vault, clock), settings, clock)


def test_a_token_does_what_its_roles_may(front: Front) -> None:
    assert front.send(front.token(groups=["desk"]), X_Request_Id="by-token").status_code == 200
    last = front.last()
    assert (last.actor, last.operation, last.result) == (f"oidc:{ISSUER[8:]}#ada", "tokenize", "ok")
    assert last.request_id == "by-token"
    assert problem(front.send(front.token(groups=["desk"]), path="/v1/find")) == FORBIDDEN
    assert (front.last().operation, front.last().result) == ("find", "forbidden")


@pytest.mark.parametrize("path", ["/v1/backups", "/v1/backups/status", "/v1/drills"])
def test_no_business_lets_its_callers_at_what_is_everybodys(front: Front, path: str) -> None:
    """Its policy is its own; roots and backups are of all businesses, and an operator's API key alone carries them."""
    text = front.token(groups=["greedy"])
    assert problem(front.send(text, path=path, body=None)) == FORBIDDEN
    assert problem(front.send(text, path="/v1/roots/move", body={"to": "local"})) == FORBIDDEN
    assert front.send(text, path="/v1/keysets", body=None).status_code == 200


def test_a_caller_without_a_role_may_nothing(front: Front) -> None:
    text = front.token(groups=["guests"])
    reply = front.send(text)
    assert problem(reply) == FORBIDDEN
    assert "policy" in reply.get_data(as_text=True)
    assert (front.last().actor, front.last().result) == (f"oidc:{ISSUER[8:]}#ada", "forbidden")
    assert (
        problem(front.send(text, path="/v1/fields", body=None)) == FORBIDDEN
    )  # which every good API key may
    assert front.last().operation == "any"


def test_an_expired_token_is_put_on_record_and_a_forged_one_is_not(front: Front) -> None:
    front.send(front.token(groups=["desk"]))
    before = front.last().id
    forged = front.token().rpartition(".")[0] + ".AAAA"
    for text in (forged, front.token(iss="https://evil.example"), "a.b.c", front.token(aud="x")):
        assert problem(front.send(text)) == UNAUTHENTICATED
    assert front.last().id == before
    now = front.clock.now
    for claims in ({"exp": now - 31}, {"iat": now + 60}, {"exp": now + 9_999}):
        assert problem(front.send(front.token(**claims))) == UNAUTHENTICATED
        assert (front.last().actor, front.last().result) == (f"oidc:{ISSUER[8:]}#ada", "unauthenticated")


def test_a_token_that_is_known_expires_on_the_second(front: Front) -> None:
    text = front.token(groups=["desk"], exp=front.clock.now + 100)
    assert front.send(text).status_code == 200
    front.clock.now += 129
    assert front.send(text).status_code == 200
    front.clock.now += 1
    assert problem(front.send(text)) == UNAUTHENTICATED


def test_refused_tokens_look_alike_and_the_log_knows_why(
    front: Front, capfd: pytest.CaptureFixture[str]
) -> None:
    bodies = []
    texts = [
        front.token(sub="canary", exp=1),
        "sr_live_" + "0" * 64,
        "canary.canary.canary",
        front.token(aud="canary"),
    ]
    for text in texts:
        body = json.loads(front.send(text).data)
        del body["request_id"]
        bodies.append(body)
    assert all(body == bodies[0] for body in bodies)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line.get("why") for line in lines] == ["expired", None, "token_form", "token_audience"]


def test_a_certificate_comes_in_over_the_socket_alone(front: Front) -> None:
    shown = front.certificate()
    assert front.send(Client_Cert=shown).status_code == 200
    assert front.last().actor == "cert:spiffe://shop/settlement"
    before = front.last().id
    for peer in ("127.0.0.1", "::1", "192.0.2.1"):
        assert problem(front.send(peer=peer, Client_Cert=shown)) == UNAUTHENTICATED
        assert problem(front.send(peer=peer, Client_Cert_Chain=shown)) == UNAUTHENTICATED
    assert problem(front.send(Client_Cert_Chain=shown)) == UNAUTHENTICATED
    assert problem(front.send(Client_Cert="")) == UNAUTHENTICATED
    assert problem(front.send(Client_Cert=front.certificate("spiffe://shop/nobody"))) == UNAUTHENTICATED
    assert front.last().id == before


def test_what_was_shown_as_one_thing_is_not_taken_for_another(front: Front, door: Door) -> None:
    """What is known of a certificate for a second must not let in whoever sends it as a token, and so on."""
    shown = front.certificate()
    assert front.send(Client_Cert=shown).status_code == 200
    assert problem(front.send(shown)) == UNAUTHENTICATED
    text = front.token(groups=["desk"])
    assert front.send(text).status_code == 200
    assert front.send(door.key).status_code == 200
    for other in (text, door.key):
        assert problem(front.send(Client_Cert=other)) == UNAUTHENTICATED


def test_certificates_are_not_believed_unless_the_settings_say_so(
    settings: Settings, vault: Vault, clock: Clock, file: Path
) -> None:
    app = create_app(settings.model_copy(update={"callers_file": file}), vault, clock)
    front = Front(app, settings, clock)
    assert problem(front.send(Client_Cert=front.certificate())) == UNAUTHENTICATED


def test_a_key_beside_a_certificate(front: Front, door: Door, test_door: Door) -> None:
    shown, tests, nobody = (
        front.certificate(f"spiffe://shop/{name}") for name in ("settlement", "tests", "nobody")
    )
    assert front.send(door.key, Client_Cert=shown).status_code == 200
    assert front.last().actor.startswith("key_")
    assert front.send(test_door.key, Client_Cert=tests).status_code == 200
    for key, certificate in (
        (door.key, tests), (test_door.key, shown), (door.key, nobody), (door.key, "x"), ("sr_live_" + "0" * 64, shown),
    ):  # fmt: skip
        assert problem(front.send(key, Client_Cert=certificate)) == UNAUTHENTICATED
    assert front.send(door.key, peer="127.0.0.1", Client_Cert=nobody).status_code == 200  # never looked at
    front.clock.now += 3_601
    assert problem(front.send(door.key, Client_Cert=shown)) == UNAUTHENTICATED
    assert front.last().result == "unauthenticated"


def test_where_a_request_comes_from(front: Front, door: Door) -> None:
    said = {"X_Forwarded_For": "203.0.113.9, 198.51.100.7", "Forwarded": "for=203.0.113.1"}
    for peer, expected in (
        ("", "198.51.100.7"),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.2", "192.0.2.2"),
    ):
        front.send(door.key, peer=peer, **said)
        assert front.last().origin == expected
    front.send(door.key, X_Forwarded_For="unknown")
    assert front.last().origin == ""


@pytest.mark.parametrize("approval", ["prop_0123-abc", "x" * 64])
def test_an_approval_is_handed_on(front: Front, door: Door, approval: str) -> None:
    assert front.send(door.key, Approval=approval).status_code == 200


@pytest.mark.parametrize("approval", ["", "x" * 65, "a b", "a\tb", "é", "a;b", "a,b"])
def test_an_approval_that_is_none(front: Front, door: Door, approval: str) -> None:
    assert problem(front.send(door.key, Approval=approval)) == (400, "bad_request", None)


def test_keys_that_a_person_makes_reach_no_further(front: Front, file: Path) -> None:
    text = front.token(groups=["desk"])
    more = {"name": "n", "operations": ["reveal"]}
    assert problem(front.send(text, path="/v1/apikeys", body=more)) == FORBIDDEN
    assert (
        front.send(text, path="/v1/apikeys", body={"name": "n", "operations": ["tokenize"]}).status_code
        == 201
    )


def test_an_issuer_that_gives_no_keys(
    settings: Settings, vault: Vault, clock: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "callers.toml").write_text(FILE)  # and no jwks.json
    app = create_app(settings.model_copy(update={"callers_file": tmp_path / "callers.toml"}), vault, clock)
    front = Front(app, settings, clock)
    reply = front.send(front.token())
    assert problem(reply) == (503, "issuer_unavailable", None)
    assert reply.headers["Retry-After"] == "1"
    assert '"failure"' not in capfd.readouterr().err


def test_a_tenant_without_a_policy_lets_in_api_keys_alone(front: Front, test_door: Door) -> None:
    """The built-in policy, which every tenant begins with, leaves to callers what they carry."""
    shown = front.certificate("spiffe://shop/tests")
    assert problem(front.send(Client_Cert=shown)) == FORBIDDEN
    assert (front.last().actor, front.last().result) == ("cert:spiffe://shop/tests", "forbidden")
    assert front.send(test_door.key).status_code == 200
