"""The age testkit (C2SP CCTV, `age/testdata`): what is opened and refused, and what the library or we do not have."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import pytest

from keys import identity
from keys.errors import KeyFileError
from keys.secret import Secret
from tests import conftest
from tests.databases import missing
from vault.backup import age

ARMORED = "ASCII armor is not taken: a chunk is never armored"
PASSPHRASE = "passphrases are never tried: chunks are sealed to X25519 recipients alone"
POST_QUANTUM = "pyrage 1.4 has no identities of the hybrid ML-KEM-768 and X25519 recipients"

LACKING: Mapping[str, str] = {
    **dict.fromkeys((
        "armor_crlf", "armor_full_last_line", "armor_no_eol", "armor_no_match", "armor_whitespace_outside",
        "armor_x25519",
    ), ARMORED),
    "armor_scrypt": ARMORED, "armor_hybrid": ARMORED,
    **dict.fromkeys((
        "scrypt", "scrypt_extra_argument", "scrypt_long_file_key", "scrypt_not_canonical_salt", "scrypt_salt_long",
        "scrypt_salt_missing", "scrypt_salt_short", "scrypt_work_factor_23", "scrypt_work_factor_hex",
        "scrypt_work_factor_leading_garbage", "scrypt_work_factor_leading_plus",
        "scrypt_work_factor_leading_zero_decimal", "scrypt_work_factor_leading_zero_octal",
        "scrypt_work_factor_missing", "scrypt_work_factor_negative", "scrypt_work_factor_overflow",
        "scrypt_work_factor_trailing_garbage", "scrypt_work_factor_zero",
    ), PASSPHRASE),
    **dict.fromkeys((
        "hybrid", "hybrid_and_x25519", "hybrid_extra_argument", "hybrid_grease", "hybrid_identity",
        "hybrid_long_file_key", "hybrid_long_share", "hybrid_low_order", "hybrid_multiple_recipients",
        "hybrid_not_canonical_enc", "hybrid_short_share",
    ), POST_QUANTUM),
}  # fmt: skip
"""Vectors that end otherwise than they say. Each of them is refused, if perhaps for another reason."""


@dataclass(frozen=True, slots=True)
class Case:
    """One vector: `expect` is `success` or the kind of failure, `payload` what it holds (SHA-256, in hex)."""

    expect: str
    payload: str
    identities: list[str]
    file: bytes


@cache
def cases() -> dict[str, Case]:
    """Return the vectors by name, read as the testkit's `README` says."""
    folder = conftest.SHARED / "vectors" / "age-testkit"
    if not folder.is_dir():
        missing(
            "the published test vectors", "put them beside the checkout as shared/, or set STRONGROOM_SHARED"
        )
    return {path.name: _case(path.read_bytes()) for path in sorted(folder.iterdir()) if not path.suffix}


def _case(data: bytes) -> Case:
    head, _, file = data.partition(b"\n\n")
    lines = [line.partition(": ") for line in head.decode().splitlines()]
    one = {name: value for name, _, value in lines}
    if one.get("compressed") == "zlib":
        file = zlib.decompress(file)
    return Case(
        one["expect"],
        one.get("payload", ""),
        [value for name, _, value in lines if name == "identity"],
        file,
    )


def outcome(case: Case) -> str:
    """Return what opening a vector comes to, in the testkit's words, as far as kinds are told apart."""
    try:
        opened = age.opened(case.file, [one for text in case.identities for one in _identity(text)])
    except age.NoIdentity:
        return "no match"
    except age.NotOpened:
        return "refused"
    return f"success {sha256(opened).hexdigest()}"


def _identity(text: str) -> list[Secret]:
    try:
        return [identity.read(text.encode())]
    except KeyFileError:  # of another kind
        return []


def expected(case: Case) -> str:
    """Return what it should come to."""
    if case.expect == "success":
        return f"success {case.payload}"
    return case.expect if case.expect == "no match" else "refused"


@cache
def differing() -> dict[str, str]:
    """Return the vectors that end otherwise than they say, and how."""
    return {name: outcome(case) for name, case in cases().items() if outcome(case) != expected(case)}


def test_all_vectors_are_there() -> None:
    found = cases()
    assert len(found) == 143
    assert sum(case.expect == "success" for case in found.values()) == 26


def test_every_vector_but_those_that_are_named_ends_as_it_says() -> None:
    assert sorted(differing()) == sorted(LACKING)


@pytest.mark.parametrize("name", LACKING)
def test_what_is_lacking_is_refused(name: str) -> None:
    assert differing()[name] in ("no match", "refused")
