"""Keyed hashes against published vectors, and an index that says nothing without its key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.openkeys import OpenKey
from keys.secret import Secret
from vault import index
from vault.context import derivation, pack
from vault.keyed import expand, keyed


def test_expand_is_hkdf_expand_of_rfc_5869(vectors: Any) -> None:
    """Wycheproof gives whole HKDF: extract with the standard library, expand with ours."""
    run = 0
    for group in vectors("wycheproof/hkdf_sha256_test.json")["testGroups"]:
        for case in group["tests"]:
            ikm, salt, info = (bytes.fromhex(case[name]) for name in ("ikm", "salt", "info"))
            if case["result"] != "valid" or case["size"] < 32:
                continue
            pseudorandom = hmac.digest(salt or bytes(32), ikm, "sha256")
            assert expand(pseudorandom, info).hex() == case["okm"][:64]
            run += 1
    assert run == 65


def test_keyed_is_hmac_under_the_derived_key() -> None:
    secret, info = bytes(range(32)), derivation("index", 1, "bank_card", "bank_card")
    key = OpenKey(1, Secret(secret))
    derived = expand(secret, info)
    inputs = [b"", b"4111111111111111", "张三".encode(), b"x" * 1000]
    expected = [hmac.new(derived, text, hashlib.sha256).digest()[:16] for text in inputs]
    assert keyed(key, info, inputs) == expected
    assert keyed(key, info, inputs) == expected  # the kept state was not touched


def test_equal_values_meet_only_in_their_own_place() -> None:
    key, other = OpenKey(1, Secret.random()), OpenKey(2, Secret.random(), True)
    places = [
        (key, 1, "bank_card", "bank_card"), (key, 2, "bank_card", "bank_card"), (key, 1, "phone", "bank_card"),
        (key, 1, "bank_card", "partner"), (other, 1, "bank_card", "bank_card"),
    ]  # fmt: skip
    digests = [index.digests(*place, ["4111111111111111"])[0] for place in places]
    assert len(set(digests)) == len(places)
    assert index.digests(*places[0], ["4111111111111111"]) == digests[:1]
    assert {len(digest) for digest in digests} == {16}


def test_without_its_key_the_index_says_nothing() -> None:
    """The counter-example of a peer: an unkeyed hash of a card number is found by trying all card numbers."""
    key = OpenKey(1, Secret.random())
    value = "4111111111111111"
    (digest,) = index.digests(key, 1, "bank_card", "bank_card", [value])
    for name in ("sha256", "sha512", "sha1", "md5", "blake2b"):
        for text in (value, f"bank_card{value}", f"{value}bank_card"):
            assert hashlib.new(name, text.encode()).digest()[:16] != digest


@pytest.mark.parametrize(
    ("one", "other"), [((b"ab", b"c"), (b"a", b"bc")), ((b"",), ()), ((b"a", b""), (b"a",))]
)
def test_no_two_contexts_pack_alike(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    assert pack(*one) != pack(*other)


def test_the_library_agrees_on_whole_hkdf() -> None:
    """`expand` is the second half of the library's own HKDF."""
    ikm, info = b"i" * 32, b"info"
    pseudorandom = hmac.digest(bytes(32), ikm, "sha256")
    assert HKDF(SHA256(), 32, None, info).derive(ikm) == expand(pseudorandom, info)
