"""Tokens that are believed, and the attacks on tokens that everybody knows: none of them is."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from api.callers.caller import Caller
from api.callers.directory import Directory
from api.callers.document import read
from api.callers.refused import NotBelieved
from tests.api.callers.issuing import (
    AUDIENCE,
    CLAIMS,
    EC,
    ED,
    ISSUER,
    KEYS,
    NOW,
    RSA,
    base64url,
    key_set,
    raw,
    token,
)

SAID = json.dumps(CLAIMS).encode()
FILE = f"""
[[oidc]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
tenant = "shop"
mode = "live"
jwks_file = "jwks.json"
claims = ["groups", "vip", "level"]

[[oidc]]
issuer = "{ISSUER}"
audience = "portal"
tenant = "shop"
mode = "test"
jwks_file = "jwks.json"
subject_claim = "customer_id"

[[oidc]]
issuer = "{ISSUER}"
audience = "narrow"
tenant = "shop"
mode = "live"
jwks_file = "jwks.json"
algorithms = ["RS256"]
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Directory:
    folder = tmp_path_factory.mktemp("callers")
    (folder / "jwks.json").write_bytes(key_set(EC, RSA, ED))
    return Directory(
        read(FILE.encode(), folder), lambda _, mode: {"live": 1, "test": 2}[mode], lambda _: frozenset()
    )


def refused(directory: Directory, text: str) -> str:
    with pytest.raises(NotBelieved) as caught:
        directory.by_token(text)
    assert caught.value.__context__ is None
    return caught.value.code


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_good_token(directory: Directory, algorithm: str) -> None:
    caller = directory.by_token(token(algorithm, groups=["risk", "audit"], vip=True, level=3, other="x"))
    assert (caller.tenant, caller.mode, caller.kind) == (1, "live", "oidc")
    assert caller.name == "oidc:login.example.com/realms/shop#ada"
    assert caller.claims == {
        (f"{ISSUER}#groups", "risk"), (f"{ISSUER}#groups", "audit"), (f"{ISSUER}#vip", "true"),
        (f"{ISSUER}#level", "3"),
    }  # fmt: skip
    assert caller.subject is None
    assert caller.good(NOW)


def test_times(directory: Directory) -> None:
    caller = directory.by_token(token())
    assert [caller.good(NOW + at) for at in (-41, -40, 629, 630)] == [False, True, True, False]  # leeway 30
    later = directory.by_token(token(nbf=NOW + 100))
    assert [later.good(NOW + at) for at in (69, 70)] == [False, True]
    assert directory.by_token(token(iat=NOW - 0.5, exp=NOW + 600.25)).good(NOW)
    long = directory.by_token(token(exp=NOW + 3_591))
    assert not long.good(NOW)
    assert long.why == "token_lifetime"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None}, {"iat": None}, {"exp": str(NOW + 600)}, {"exp": True}, {"exp": [NOW]}, {"exp": 10**300},
        {"iat": None, "nbf": NOW}, {"nbf": "now"}, {"exp": 1e308, "iat": {}},
    ],
)  # fmt: skip
def test_times_that_are_none(directory: Directory, claims: dict[str, Any]) -> None:
    assert refused(directory, token(**claims)) == "token_times"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": ISSUER + "/"}, "token_issuer"), ({"iss": ISSUER.upper()}, "token_issuer"),
        ({"iss": None}, "token_issuer"),
        ({"iss": [ISSUER]}, "token_issuer"), ({"iss": "https://evil.example.com"}, "token_issuer"),
        ({"aud": "Strongroom"}, "token_audience"), ({"aud": None}, "token_audience"), ({"aud": []}, "token_audience"),
        ({"aud": ["other"]}, "token_audience"), ({"aud": {"strongroom": 1}}, "token_audience"),
        ({"aud": [AUDIENCE, 1]}, "token_audience"), ({"aud": [AUDIENCE, "portal"]}, "token_audience"),
        ({"sub": None}, "token_subject"), ({"sub": ""}, "token_subject"), ({"sub": 7}, "token_subject"),
        ({"sub": "a" * 256}, "token_subject"), ({"sub": "\ud800"}, "token_subject"),
        ({"cnf": {"x5t#S256": "x"}}, "token_bound"),
    ],
)  # fmt: skip
def test_tokens_for_somebody_else(directory: Directory, claims: dict[str, Any], code: str) -> None:
    assert refused(directory, token(**claims)) == code


def test_one_audience_of_several_is_enough(directory: Directory) -> None:
    assert directory.by_token(token(aud=["account", AUDIENCE])).mode == "live"


def test_an_algorithm_that_this_audience_does_not_take(directory: Directory) -> None:
    assert directory.by_token(token("RS256", aud="narrow")).tenant == 1
    assert refused(directory, token("PS256", aud="narrow")) == "token_algorithm"


def test_the_person_that_a_caller_acts_for(directory: Directory) -> None:
    assert directory.by_token(token(aud="portal", customer_id="c-77")).subject == "c-77"
    assert directory.by_token(token(aud="portal", customer_id=77)).subject == "77"
    for missing in (None, "", ["c-1", "c-2"], ["c-1"], True, {"id": "c-1"}, 1.5, "\ud800"):
        assert refused(directory, token(aud="portal", customer_id=missing)) == "token_person"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "HS384", "RSA1_5", "dir", "", None, 1, ["ES256"]]
)
def test_algorithms_of_the_senders_choice(directory: Directory, algorithm: object) -> None:
    header, payload = {"alg": algorithm, "kid": "ec"}, SAID
    signed = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
    for signature in ("", base64url(b"x"), raw(header, payload, EC, "ES256").rpartition(".")[2]):
        assert refused(directory, f"{signed}.{signature}") in {"token_algorithm", "token_form"}


@pytest.mark.parametrize("secret", [RSA.as_pem(private=False), RSA.as_der(private=False), key_set(RSA)])
def test_hmac_with_the_public_key_as_its_secret(directory: Directory, secret: bytes) -> None:
    header = base64url(json.dumps({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).encode())
    signed = f"{header}.{base64url(SAID)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert refused(directory, f"{signed}.{base64url(mac)}") == "token_algorithm"


def test_a_key_that_the_token_brings_along(directory: Directory) -> None:
    own = ECKey.generate_key("P-256", {"kid": "own"})
    payload = SAID
    for extra in (
        {"jwk": own.as_dict(private=False)}, {"jku": "https://evil.example.com/jwks"}, {"x5c": ["MIIB"]},
        {"x5u": "https://evil.example.com/chain"},
    ):  # fmt: skip
        for key, kid in ((own, "own"), (own, "ec"), (EC, "ec")):
            assert (
                refused(directory, raw({"alg": "ES256", "kid": kid, **extra}, payload, key, "ES256"))
                == "token_header"
            )
    assert refused(directory, raw({"alg": "ES256", "kid": "own"}, payload, own, "ES256")) == "token_key"
    assert refused(directory, raw({"alg": "ES256", "kid": "ec"}, payload, own, "ES256")) == "token_signature"


@pytest.mark.parametrize(
    "kid",
    [
        "../../etc/passwd",
        "ec' OR '1'='1",
        "ec\x00",
        "EC",
        "",
        "/dev/null",
        "https://evil.example.com",
        "e" * 4_000,
    ],
)
def test_a_key_id_names_a_key_or_nothing(directory: Directory, kid: str) -> None:
    assert refused(directory, token("ES256", {"kid": kid})) in {"token_key", "token_signature"}


@pytest.mark.parametrize("kid", [7, ["ec"], {"kid": "ec"}, True])
def test_a_key_id_that_is_no_text(directory: Directory, kid: object) -> None:
    assert refused(directory, token("ES256", {"kid": kid})) == "token_header"


def test_without_a_key_id_there_must_be_no_choice(directory: Directory, tmp_path: Path) -> None:
    assert directory.by_token(token("ES256", {"kid": None})).name.endswith("#ada")
    (tmp_path / "jwks.json").write_bytes(key_set(EC, ECKey.generate_key("P-256", {"kid": "two"})))
    two = Directory(read(FILE.encode(), tmp_path), lambda *_: 1, lambda _: frozenset())
    assert refused(two, token("ES256", {"kid": None})) == "token_key"


def test_a_key_is_for_its_own_algorithms(directory: Directory) -> None:
    payload = SAID
    assert refused(directory, raw({"alg": "RS256", "kid": "ec"}, payload, EC, "ES256")) == "token_key"
    assert refused(directory, raw({"alg": "PS256", "kid": "rsa"}, payload, RSA, "RS256")) == "token_signature"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": True},
        {"crit": "x"},
    ],
)
def test_extensions_that_one_must_understand(directory: Directory, header: dict[str, object]) -> None:
    assert refused(directory, token("ES256", header)) == "token_header"


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", "JOSE", "", 1, None])
def test_tokens_of_other_kinds(directory: Directory, kind: object) -> None:
    if kind is None:
        assert directory.by_token(token("ES256", {"typ": None}))
    else:
        assert refused(directory, token("ES256", {"typ": kind})) == "token_type"
    assert refused(directory, token("ES256", {"cty": "JWT"})) == "token_type"
    assert directory.by_token(token("ES256", {"typ": "application/at+JWT"}))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b'{"alg":"ES256","alg":"none","kid":"ec"}', SAID),
        (b'{"alg":"ES256","kid":"own","kid":"ec"}', SAID),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"sub":"root"}'),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"a":{"b":1,"b":2}}'),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"a":NaN}'),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"a":' + b"[" * 2_500 + b"]" * 2_500 + b"}"),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"a":' + b"9" * 5_000 + b"}"),
        (b'{"alg":"ES256","kid":"ec"}', json.dumps(CLAIMS).encode("utf-16")),
        (b'{"alg":"ES256","kid":"ec"}', SAID[:-1] + b',"a":"\xff"}'),
        (b'{"alg":"ES256","kid":"ec"}', b"[]"),
        (b'{"alg":"ES256","kid":"ec"}', b'"text"'),
        (b'{"alg":"ES256","kid":"ec"}', b""),
        (b'["ES256"]', SAID),
        (b'\xef\xbb\xbf{"alg":"ES256","kid":"ec"}', SAID),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_can_be_read_in_two_ways(directory: Directory, header: bytes, payload: bytes) -> None:
    assert refused(directory, raw(header, payload, EC, "ES256")) == "token_form"


def test_the_longest_token(directory: Directory) -> None:
    room = 8_192 - len(token(pad=""))
    assert directory.by_token(token(pad="x" * (room * 3 // 4 - 3)))
    assert refused(directory, token(pad="x" * (room * 3 // 4 + 3))) == "token_form"


def test_other_forms(directory: Directory) -> None:
    good = token()
    first, second, third = good.split(".")
    for text in (
        "", ".", "..", "...", first, f"{first}.{second}", f"{first}.{second}.", f".{second}.{third}", f"{good}.{third}",
        f"{first}.{second}.{third}.{third}.{third}", f"{good}=", f"{good} ", f"{good}\n", f"{first}+.{second}.{third}",
        f"{first}.{second}.{third[:-1]}", json.dumps({"payload": second, "protected": first, "signature": third}),
        f"{first}.{second}..{third}", "a.b.c", "é.é.é",
    ):  # fmt: skip
        assert refused(directory, text) in {"token_form", "token_signature"}, text


def test_every_character_counts(directory: Directory) -> None:
    """No other text than the one that was signed is taken for it."""
    good = token()
    for at in range(0, len(good), 7):
        if good[at] != ".":
            changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
            with pytest.raises(NotBelieved):
                directory.by_token(changed)


def test_nothing_of_a_token_is_believed_before_its_signature(directory: Directory) -> None:
    own = RSAKey.generate_key(2048, {"kid": "rsa"})
    payload = json.dumps(CLAIMS | {"sub": None, "exp": "x"}).encode()
    assert refused(directory, raw({"alg": "RS256", "kid": "rsa"}, payload, own, "RS256")) == "token_signature"


@pytest.mark.parametrize(
    "subject", ["a\nb", "a\r\n{}", "\u202egro.evil", "\x1b[2J", "a b", "爨莺", '"', "\\", "a#b", "a~b"]
)
def test_names_are_safe_whatever_the_subject(directory: Directory, subject: str) -> None:
    caller: Caller = directory.by_token(token(sub=subject))
    assert caller.name.isascii()
    assert caller.name.isprintable()
    assert not set(caller.name) & set(' "\\<>`~')
    assert caller.name.count("#") == 1


def test_a_tenant_that_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_bytes(key_set(EC))
    there: list[int] = []
    directory = Directory(
        read(FILE.encode(), tmp_path), lambda *_: there[0] if there else None, lambda _: frozenset()
    )
    assert refused(directory, token()) == "tenant_unknown"
    there.append(9)
    assert directory.by_token(token()).tenant == 9
