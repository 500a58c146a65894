"""What other systems made of a password is verified here, from one text that is the same for all spellings."""

from __future__ import annotations

import base64

import pytest

from tests.vault.passwords.legacy.samples import ALL, SPECIAL, Sample
from vault.errors import UnreadableHash
from vault.passwords import argon2id, legacy
from vault.passwords.legacy import bcrypt, crypt, parts

every = pytest.mark.parametrize("sample", ALL, ids=[f"{sample.scheme}-{i}" for i, sample in enumerate(ALL)])


def encoded(sample: Sample) -> str:
    return legacy.read(sample.text, sample.salt, sample.layout).encoded


@every
def test_a_published_hash_is_of_its_password_and_of_no_other(sample: Sample) -> None:
    verifier = legacy.read(sample.text, sample.salt, sample.layout)
    assert (verifier.scheme, verifier.inner, verifier.normalized) == (sample.scheme, "", False)
    setting = legacy.setting(sample.scheme, verifier.encoded)
    assert legacy.digest(sample.scheme, setting, sample.password.encode()) == verifier.encoded
    # bcrypt leaves out what is after 72 bytes, so the other password differs before that.
    wrong = legacy.digest(sample.scheme, verifier.encoded, b"x" + sample.password.encode())
    assert wrong != verifier.encoded
    assert legacy.setting(sample.scheme, wrong) == setting


@every
def test_a_canonical_text_is_its_own(sample: Sample) -> None:
    verifier = legacy.read(sample.text, sample.salt, sample.layout)
    assert legacy.read(verifier.encoded) == verifier
    assert len(verifier.encoded) <= parts.LONGEST


@every
def test_a_setting_has_salt_and_parameters_and_nothing_of_the_digest(sample: Sample) -> None:
    text = encoded(sample)
    setting = legacy.setting(sample.scheme, text)
    assert text.startswith(setting)
    assert legacy.setting(sample.scheme, setting) == setting
    digest = text.removeprefix(setting).removeprefix("$")
    assert len(digest) >= 22  # 128 bits
    assert not any(digest[i : i + 4] in setting for i in range(len(digest) - 3))


@every
def test_memory_is_said_before_anything_is_computed(sample: Sample) -> None:
    setting = legacy.setting(sample.scheme, encoded(sample))
    assert 0 < legacy.memory(sample.scheme, setting) <= (41_000 if sample.scheme == "scrypt" else 64)


def test_every_scheme_has_a_sample() -> None:
    assert {sample.scheme for sample in ALL} == set(legacy.schemes())


SAME = [
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "{bcrypt}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "{crypt}$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "bcrypt$$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  # bits of the salt that bcrypt leaves out
]


@pytest.mark.parametrize("text", SAME)
def test_spellings_of_one_bcrypt_hash_have_one_text(text: str) -> None:
    verifier = legacy.read(text)
    assert verifier.encoded == "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    assert legacy.digest(verifier.scheme, text, b"U*U") == verifier.encoded


def test_spellings_of_one_pbkdf2_hash_have_one_text() -> None:
    raw = bytes.fromhex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56")
    padded, bare = base64.b64encode(raw).decode(), parts.to_bare(raw)
    texts = [
        f"pbkdf2:sha256:80000$NaCl${raw.hex()}",
        f"pbkdf2_sha256$80000$NaCl${padded}",
        f"$pbkdf2-sha256$80000$TmFDbA${bare.replace('+', '.')}",
        f"$pbkdf2-sha256$i=80000$TmFDbA${bare}",
        f"$pbkdf2-sha256$i=80000,l=32$TmFDbA${bare}",
    ]
    assert {legacy.read(text).encoded for text in texts} == {texts[-1]}


def test_spellings_of_one_scrypt_hash_have_one_text() -> None:
    """RFC 7914, section 12: "password" with "NaCl", 1 024, 8 and 16."""
    raw = bytes.fromhex(
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da"
        "c727afb94a83ee6d8360cbdfa2cc0640"
    )
    texts = [
        f"scrypt:1024:8:16$NaCl${raw.hex()}",
        f"scrypt$1024$NaCl$8$16${base64.b64encode(raw).decode()}",
        f"$scrypt$ln=10,r=8,p=16,l=64$TmFDbA${parts.to_bare(raw)}",
    ]
    assert {legacy.read(text).encoded for text in texts} == {texts[-1]}
    assert legacy.digest("scrypt", texts[-1], b"password") == texts[-1]
    short = f"{{scrypt}}$a0810$TmFDbA==${base64.b64encode(raw[:32]).decode()}"
    assert legacy.read(short) == legacy.read(f"$scrypt$ln=10,r=8,p=16$TmFDbA${parts.to_bare(raw[:32])}")
    assert legacy.memory("scrypt", texts[-1]) == 128 * 8 * (1_024 + 16 + 2) // 1_024


def test_spellings_of_other_hashes_have_one_text() -> None:
    for scheme, setting, other in (
        ("sha256_crypt", "$5$salt", "$5$rounds=5000$salt"),
        ("sha512_crypt", "$6$salt", "{CRYPT}$6$rounds=5000$salt"),
        ("phpass", "$P$7saltsalt", "$H$7saltsalt"),
        ("passlib_bcrypt_sha256_v1", "$bcrypt-sha256$2b,4$" + "." * 22, "$bcrypt-sha256$2a,4$" + "." * 22),
        ("django_bcrypt_sha256", "bcrypt_sha256$$2b$04$" + "." * 22, "bcrypt_sha256$$2a$04$" + "." * 22),
    ):
        made = legacy.digest(scheme, setting, b"password")
        assert legacy.digest(scheme, other, b"password") == made
        assert legacy.read(made.replace(setting, other)) == legacy.read(made)
        assert legacy.read(made).encoded == made


def test_bcrypt_leaves_out_what_is_after_72_bytes_even_in_the_middle_of_a_character() -> None:
    setting, password = "$2b$04$" + "." * 22, "é" * 35 + "a"
    whole = legacy.digest("bcrypt", setting, f"{password}é".encode())
    assert legacy.digest("bcrypt", setting, f"{password}é".encode()[:72]) == whole
    assert legacy.digest("bcrypt", setting, f"{password}éxyz".encode()) == whole
    assert legacy.digest("bcrypt", setting, password.encode()) != whole


NOT_TAKEN = [
    ("bcrypt", "$2b$04$" + "." * 22, b"a\x00b"),
    ("md5_crypt", "$1$salt", b"a\x00b"),
    ("sha256_crypt", "$5$rounds=1000$salt", b"\x00"),
    ("sha512_crypt", "$6$rounds=1000$salt", b"a" * 512),
    ("sha512_crypt", "$6$rounds=1000$salt", b"a" * 1_000_000),
    ("phpass", "$P$5IQRaTwmf", b"a" * 4_097),
]


@pytest.mark.parametrize(("scheme", "setting", "password"), NOT_TAKEN)
def test_what_a_scheme_cannot_take_is_not_the_password(scheme: str, setting: str, password: bytes) -> None:
    made = legacy.digest(scheme, setting, password)
    assert made == setting  # and a setting alone is no hash
    with pytest.raises(UnreadableHash):
        legacy.read(made)


def test_what_a_scheme_cannot_take_is_computed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the answer takes as long; the real functions are called and their calls counted."""
    calls: list[bytes] = []
    real_bcrypt, real_using = bcrypt.bcrypt.hashpw, crypt.md5_crypt.using

    def hashpw(password: bytes, salt: bytes) -> bytes:
        calls.append(password)
        return real_bcrypt(password, salt)

    def using(salt: str) -> object:
        calls.append(salt.encode())
        return real_using(salt=salt)

    monkeypatch.setattr(bcrypt.bcrypt, "hashpw", hashpw)
    monkeypatch.setattr(crypt.md5_crypt, "using", using)
    legacy.digest("bcrypt", "$2b$04$" + "." * 22, b"a\x00b")
    legacy.digest("md5_crypt", "$1$salt", b"a\x00b")
    assert calls == [b"a\x01b", b"salt"]


def test_longest_passwords_are_taken() -> None:
    for scheme, setting, size in (
        ("sha256_crypt", "$5$rounds=1000$salt", 511),
        ("phpass", "$P$5IQRaTwmf", 4_096),
        ("pbkdf2_sha256", "$pbkdf2-sha256$i=1,l=32$c2FsdA", 1_000_000),
        ("scrypt", "$scrypt$ln=1,r=1,p=1,l=32$c2FsdA", 1_000_000),
        ("spring_sha256", "{sha256}0123456789abcdef", 1_000_000),
        ("layout", "$layout$md5(password)$", 1_000_000),
        ("passlib_bcrypt_sha256", "$bcrypt-sha256$v=2,t=2b,r=4$" + "." * 22, 1_000_000),
    ):
        one, other = (
            legacy.digest(scheme, setting, b"a" * size),
            legacy.digest(scheme, setting, b"a" * (size - 1)),
        )
        assert legacy.setting(scheme, one) == setting
        assert len({one, other, setting}) == 3


# Django 4.1, tests/auth_tests/test_hashers.py: "secret".
ARGON2I = "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q"


@pytest.mark.parametrize("outer", ["", "argon2", "{argon2}", "{argon2@SpringSecurity_v5_8}"])
def test_argon2_is_read_where_it_is_at_home(outer: str) -> None:
    assert legacy.read(outer + ARGON2I) == argon2id.read(ARGON2I)
    with pytest.raises(UnreadableHash):
        legacy.read(outer + ARGON2I[:-1])


def test_nul_is_a_character_where_it_was_one() -> None:
    """RFC 6070, section 2, the last: its 16 bytes are the first of the 20 that a text has."""
    salt = parts.to_bare(b"sa\x00lt")
    made = legacy.digest("pbkdf2_sha1", f"$pbkdf2-sha1$i=4096,l=20${salt}", b"pass\x00word")
    assert parts.from_bare(made.rpartition("$")[2])[:16].hex() == "56fa6aa75548099dcc37d7f03425e0c3"


def test_salts_may_have_any_characters_where_they_are_text() -> None:
    digest = legacy.digest(
        "pbkdf2_sha256", f"$pbkdf2-sha256$i=1,l=32${parts.to_bare(SPECIAL.encode())}", b"password"
    )
    raw = parts.from_bare(digest.rpartition("$")[2])
    assert legacy.read(f"pbkdf2:sha256:1${SPECIAL}${raw.hex()}").encoded == digest
