"""Declared layouts of plain and salted digests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.passwords.legacy.test_damage import attempt, refused
from vault.errors import UnknownScheme, UnreadableHash
from vault.passwords import legacy
from vault.passwords.legacy import expression
from vault.passwords.verifier import Verifier

P, S = "password", "Salt"


def hexed(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode()).hexdigest()


LAYOUTS: dict[str, str] = {
    "md5(password)": hexed("md5", P),
    "md5(md5(password)+salt)": hexed("md5", hexed("md5", P) + S),
    "md5(md5(salt)+md5(password))": hexed("md5", hexed("md5", S) + hexed("md5", P)),
    "sha1(salt+sha1(salt+sha1(password)))": hexed("sha1", S + hexed("sha1", S + hexed("sha1", P))),
    "sha256(salt+password+salt)": hexed("sha256", S + P + S),
    "sha384(password+sha224(salt))": hexed("sha384", P + hexed("sha224", S)),
    "sha512(password+salt)": hexed("sha512", P + S),
    "sha1(sha1:raw(password))": hashlib.sha1(hashlib.sha1(P.encode()).digest()).hexdigest(),
    "sha256(md5:raw(password)+salt)": hashlib.sha256(
        hashlib.md5(P.encode()).digest() + S.encode()
    ).hexdigest(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_makes_what_it_says(layout: str) -> None:
    digest, salt = LAYOUTS[layout], S if "salt" in layout else None
    padded = base64.b64encode(bytes.fromhex(digest)).decode()
    verifier = legacy.read(digest, salt, layout)
    for spelled in (digest.upper(), padded, padded.rstrip("=")):
        assert legacy.read(spelled, salt, layout) == verifier
    assert verifier.encoded.startswith(f"$layout${layout}$")
    assert legacy.digest("layout", legacy.setting("layout", verifier.encoded), P.encode()) == verifier.encoded
    assert legacy.digest("layout", verifier.encoded, b"Password") != verifier.encoded


def test_sm3_is_that_of_its_standard() -> None:
    """GB/T 32905-2016, A.1: "abc"."""
    published = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    verifier = legacy.read(published, None, "sm3(password)")
    assert legacy.digest("layout", verifier.encoded, b"abc") == verifier.encoded


def test_raw_says_nothing_of_the_outermost_digest() -> None:
    digest = hexed("sha1", P)
    assert legacy.read(digest, None, "sha1:raw(password)") == legacy.read(digest, None, "sha1(password)")


def test_a_salt_is_text_unless_it_says_otherwise() -> None:
    digest = hexed("md5", P + S)
    texts = ["Salt", "hex:53616c74", "hex:53616C74", "base64:U2FsdA==", "base64:U2FsdA"]
    assert len({legacy.read(digest, salt, "md5(password+salt)").encoded for salt in texts}) == 1
    for other in ("salt", "Salt ", "盐", "hex", "base64", "HEX:53616c74"):
        assert legacy.read(digest, other, "md5(password+salt)") != legacy.read(
            digest, S, "md5(password+salt)"
        )


@pytest.mark.parametrize(
    "salt",
    ["hex:", "hex:5", "hex:zz", "hex: 53", "base64:", "base64:U", "base64:U2FsdB==", "base64:U2FsdA=", "base64:U2-_",
     "a\x00", "\ud800", "a\n", "a" * 1_025, "é" * 257, "hex:" + "00" * 513, None, ""],
)  # fmt: skip
def test_a_salt_that_cannot_be_is_refused(salt: str | None) -> None:
    refused(UnreadableHash, hexed("md5", P), salt, "md5(password+salt)")


def test_a_salt_that_nobody_asked_for_is_refused() -> None:
    refused(UnreadableHash, hexed("md5", P), S, "md5(password)")
    refused(UnreadableHash, "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", S)


@pytest.mark.parametrize(
    "text",
    ["0" * 31, "0" * 33, "0" * 40, "g" * 32, "Q" * 21, "Q" * 23, "Q" * 22 + "=", "Q" * 21 + "R", "A" * 22],
)
def test_a_digest_that_its_algorithm_does_not_make_is_refused(text: str) -> None:
    refused(UnreadableHash, text, None, "md5(password)")


@pytest.mark.parametrize(
    "layout",
    ["", "password", "salt", "md5", "md5()", "md5(salt)", "md5(md5(salt)+salt)", "md5(password", "md5(password))",
     "md5(password)+salt", "password+md5(password)", "(password)", "md5((password))", "md5(password+)",
     "md5(+password)", "md5(password salt)", "md5(password + salt)", " md5(password)", "MD5(password)",
     "md5(Password)", "md5(passwords)", "md4(password)", "sha3(password)", "crc32(password)", "md5:hex(password)",
     "md5:(password)", "md5:raw", "md5:raw()", "md5(password:raw)", "md5(password)\n", "md5(password)\x00",
     "md5(\ud800)", "md5(pass\x00word)", "\uff4dd5(password)", "md5(md5(md5(md5(md5(password)))))",
     "md5(" + "salt+" * 24 + "password)", "md5(" * 31 + "password", ")" * 128, "md5(" * 250_000,
     "+".join(["password"] * 100_000), "__import__('os')", "md5(password)$", "md5(password)()",
     "a" * 127 + "!"],
    ids=lambda layout: ascii(layout[:40]),
)  # fmt: skip
def test_what_is_no_layout_is_unknown(layout: str) -> None:
    refused(UnknownScheme, hexed("md5", P), S, layout)
    refused(UnknownScheme, hexed("md5", P), None, layout)


def test_the_deepest_and_the_longest_layout_are_taken() -> None:
    deepest = "md5(md5(md5(md5(password))))"
    longest = "sha512(" + "salt+" * 22 + "password+1)".replace("+1", "")
    assert len(longest) <= expression.LONGEST < len(longest) + 5
    assert isinstance(attempt("0" * 32, None, deepest), Verifier)
    assert isinstance(attempt("0" * 128, "hex:" + "00" * 500, longest), Verifier)


Made = tuple[str, Callable[[bytes, bytes], bytes]]
ALGORITHMS = st.sampled_from([name for name in expression.SIZES if name != "sm3"])


def digests(inner: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    """Draw a digest over some terms, and what computes it, made side by side."""

    def make(algorithm: str, raw: bool, terms: list[Made]) -> Made:
        def compute(password: bytes, salt: bytes) -> bytes:
            made = hashlib.new(algorithm, b"".join(term(password, salt) for _, term in terms))
            return made.digest() if raw else made.hexdigest().encode()

        return f"{algorithm}{':raw' if raw else ''}({'+'.join(text for text, _ in terms)})", compute

    return st.builds(make, ALGORITHMS, st.booleans(), st.lists(inner, min_size=1, max_size=3))


LEAVES: st.SearchStrategy[Made] = st.sampled_from([("password", lambda p, _: p), ("salt", lambda _, s: s)])
NESTED = digests(LEAVES | digests(LEAVES | digests(LEAVES | digests(LEAVES))))


@given(made=NESTED, password=st.binary(max_size=40), salt=st.binary(min_size=1, max_size=40))
def test_any_layout_is_computed_as_it_is_written(made: Made, password: bytes, salt: bytes) -> None:
    text, compute = made
    algorithm, _, _ = text.partition("(")
    salted, outermost = "salt" in text, algorithm.removesuffix(":raw")
    raw = (
        compute(password, salt)
        if algorithm.endswith(":raw")
        else bytes.fromhex(compute(password, salt).decode())
    )
    verifier = attempt(raw.hex(), f"hex:{salt.hex()}" if salted else None, text)
    if isinstance(verifier, Verifier):
        assert f"$layout${outermost}(" in verifier.encoded
        assert legacy.digest("layout", verifier.encoded, password) == verifier.encoded
        assert legacy.read(verifier.encoded) == verifier
    else:
        assert len(text) > expression.LONGEST or "password" not in text


PIECES = [
    "md5",
    "sha256",
    "sm3",
    "password",
    "salt",
    "(",
    ")",
    "+",
    ":raw",
    ":",
    " ",
    "x",
    "\x00",
    "\ud800",
    "é",
]


@given(layout=st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=140))
def test_any_text_is_a_layout_or_refused(layout: str) -> None:
    try:
        parsed = expression.parse(layout)
    except UnknownScheme:
        return
    assert expression.parse(str(parsed)) == parsed
    assert len(str(parsed)) <= len(layout) <= expression.LONGEST
