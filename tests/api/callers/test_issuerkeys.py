"""An issuer's keys over https: fetched seldom, by one thread, and still good while the issuer is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.util import int_to_base64

from api.callers import jwks
from api.callers.document import DEFAULT_ALGORITHMS
from api.callers.fetching import DISCOVERY, LARGEST, File, NotFetched, Web
from api.callers.issuerkeys import IssuerKeys
from api.callers.refused import NotBelieved
from api.errors import IssuerUnavailable
from tests.api.callers.issuing import EC, ED, RSA, Publisher, key_set, publishing
from tests.waiting import until


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    with publishing(tmp_path) as running:
        running.pages["/jwks"] = 200, key_set(EC, RSA)
        yield running


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def web(publisher: Publisher, tmp_path: Path, path: str | None = "/jwks") -> Web:
    return Web(publisher.url, None if path is None else publisher.url + path, tmp_path / "ca.pem")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(publisher: Publisher, tmp_path: Path, clock: Clock) -> IssuerKeys:
    return IssuerKeys(web(publisher, tmp_path), DEFAULT_ALGORITHMS, clock)


def test_keys_are_fetched_once_in_ten_minutes(publisher: Publisher, keys: IssuerKeys, clock: Clock) -> None:
    for _ in range(5):
        assert keys.find("ec", "ES256").thumbprint() == EC.thumbprint()
    clock.now += 599
    keys.find("rsa", "PS256")
    assert publisher.asked == ["/jwks"]
    publisher.pages["/jwks"] = 200, key_set(ED)
    clock.now += 2
    assert keys.find("ec", "ES256")  # the old ones serve while new ones are fetched
    until(lambda: _finds(keys, "ed", "EdDSA"))
    assert not _finds(keys, "ec", "ES256")
    assert len(publisher.asked) == 2


def test_an_unknown_key_has_them_fetched_at_most_every_ten_seconds(
    publisher: Publisher, keys: IssuerKeys, clock: Clock
) -> None:
    keys.find("ec", "ES256")
    clock.now += 11
    publisher.pages["/jwks"] = 200, key_set(EC, ED)
    assert keys.find("ed", "EdDSA")
    assert len(publisher.asked) == 2
    for at in range(50):
        with pytest.raises(NotBelieved, match="token_key"):
            keys.find(f"made up {at}", "ES256")
    assert len(publisher.asked) == 2
    clock.now += 10
    with pytest.raises(NotBelieved):
        keys.find("made up", "ES256")
    assert len(publisher.asked) == 3


def test_one_thread_asks_and_the_others_do_not_wait(publisher: Publisher, keys: IssuerKeys) -> None:
    publisher.may_answer.clear()
    found: list[object] = []
    first = threading.Thread(target=lambda: found.append(keys.find("ec", "ES256")))
    first.start()
    until(lambda: publisher.asked)
    for _ in range(20):
        with pytest.raises(IssuerUnavailable):
            keys.find("ec", "ES256")
    publisher.may_answer.set()
    first.join()
    assert len(found) == len(publisher.asked) == 1
    assert keys.find("ec", "ES256")


def test_an_issuer_that_is_away_leaves_its_keys_good_for_a_day(
    publisher: Publisher, keys: IssuerKeys, clock: Clock
) -> None:
    keys.find("ec", "ES256")
    publisher.pages["/jwks"] = 500, b""
    for hours in range(1, 24):
        clock.now = 1_000.0 + hours * 3_600
        assert keys.find("ec", "ES256")
    clock.now = 1_000.0 + 86_400
    with pytest.raises(IssuerUnavailable):
        keys.find("ec", "ES256")
    publisher.pages["/jwks"] = 200, key_set(EC)
    clock.now += 2
    until(lambda: _finds(keys, "ec", "ES256"))


@pytest.mark.parametrize(
    "page", [b"", b"{}", b"[]", b'{"keys": 1}', b"\xff", b'{"keys": []}', b'{"keys": [{}, 1]}']
)
def test_a_key_set_that_is_none_changes_nothing(
    publisher: Publisher, keys: IssuerKeys, clock: Clock, page: bytes
) -> None:
    keys.find("ec", "ES256")
    publisher.pages["/jwks"] = 200, page
    clock.now += 601
    with pytest.raises((NotBelieved, IssuerUnavailable)):
        keys.find("unknown", "ES256")
    until(lambda: len(publisher.asked) == 2)
    assert keys.find("ec", "ES256")


def test_the_issuer_says_where_its_keys_are(publisher: Publisher, tmp_path: Path) -> None:
    said = {"issuer": publisher.url, "jwks_uri": f"{publisher.url}/jwks"}
    publisher.pages[DISCOVERY] = 200, json.dumps(said).encode()
    assert web(publisher, tmp_path, None).fetch() == key_set(EC, RSA)
    for wrong in (
        said | {"issuer": publisher.url + "/"}, said | {"issuer": None}, {"issuer": publisher.url},
        said | {"jwks_uri": f"http://localhost:{publisher.port}/jwks"}, said | {"jwks_uri": "file:///etc/passwd"},
    ):  # fmt: skip
        publisher.pages[DISCOVERY] = 200, json.dumps(wrong).encode()
        with pytest.raises(NotFetched):
            web(publisher, tmp_path, None).fetch()


@pytest.mark.parametrize(
    "page",
    [(301, b"/jwks"), (302, b"/jwks"), (404, b""), (500, b""), (200, b"x" * (LARGEST + 1)), (204, b"")],
)
def test_answers_that_are_not_taken(publisher: Publisher, tmp_path: Path, page: tuple[int, bytes]) -> None:
    publisher.pages["/other"] = page
    with pytest.raises(NotFetched):
        web(publisher, tmp_path, "/other").fetch()
    assert publisher.asked == ["/other"]


def test_a_server_that_cannot_prove_who_it_is(publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match="SSLError"):
        Web(publisher.url, publisher.url + "/jwks", None).fetch()
    with pytest.raises(NotFetched, match="SSLError"):
        Web("", f"https://127.0.0.1:{publisher.port}/jwks", tmp_path / "ca.pem").fetch()
    assert publisher.asked == []


def test_a_server_that_drips_is_given_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.pages["/jwks"] = 200, b" " * 100_000
    now = iter([0.0, 0.1, *[3.0] * 100])
    slow = Web("", publisher.url + "/jwks", tmp_path / "ca.pem", lambda: next(now))
    with pytest.raises(NotFetched, match="too long"):
        slow.fetch()


def test_a_file(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "jwks.json"
    with pytest.raises(NotFetched, match="cannot be read: No such file"):
        File(path).fetch()
    path.write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(NotFetched, match="too large"):
        File(path).fetch()
    path.write_bytes(key_set(EC))
    keys = IssuerKeys(File(path), DEFAULT_ALGORITHMS, clock, fresh=10.0)
    assert keys.find("ec", "ES256")
    path.write_bytes(key_set(ED))
    clock.now += 10
    until(lambda: _finds(keys, "ed", "EdDSA"))


def test_keys_that_are_passed_over() -> None:
    good = EC.as_dict(private=False)
    weak = rsa.generate_private_key(65_537, 1_024).public_key().public_numbers()
    other = [
        OctKey.generate_key(256, {"kid": "oct"}).as_dict(),
        EC.as_dict(private=True),
        good | {"use": "enc"}, good | {"key_ops": ["sign"]}, good | {"key_ops": "verify"}, good | {"alg": "ES384"},
        good | {"alg": 7}, good | {"kid": 7}, good | {"kid": ""}, good | {"crv": "P-255"}, good | {"x": good["y"]},
        good | {"x": "A"}, good | {"x": None}, {"kty": "EC"}, {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        {"kty": "RSA", "kid": "weak", "n": int_to_base64(weak.n), "e": "AQAB"},
        RSA.as_dict(private=False) | {"e": "AQ"}, RSA.as_dict(private=False) | {"n": ""},
        ECKey.generate_key("P-384", {"kid": "p384"}).as_dict(private=False),
        OKPKey.generate_key("X25519", {"kid": "x"}).as_dict(private=False), None, [], "key",
    ]  # fmt: skip
    found = jwks.read(
        json.dumps({"keys": [*other, good | {"x5u": 7, "unheard": {}}]}).encode(), DEFAULT_ALGORITHMS
    )
    assert [one.id for one in found.keys] == ["ec"]
    assert found.passed_over == len(other)
    assert found.find("ec", "ES256") is not None
    assert found.find("ec", "RS256") is found.find("EC", "ES256") is None


def test_two_keys_of_one_id_are_none() -> None:
    twice = {
        "keys": [EC.as_dict(private=False), ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False)]
    }
    assert jwks.read(json.dumps(twice).encode(), DEFAULT_ALGORITHMS).find("ec", "ES256") is None


def _finds(keys: IssuerKeys, key_id: str, algorithm: str) -> bool:
    try:
        return keys.find(key_id, algorithm) is not None
    except (NotBelieved, IssuerUnavailable):
        return False
