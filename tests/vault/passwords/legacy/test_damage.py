"""Damaged, unknown and too costly texts: one of three errors, which says nothing of the text, and nothing computed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.passwords.legacy.samples import ALL, Sample
from vault.errors import HashTooCostly, UnknownScheme, UnreadableHash
from vault.passwords import legacy
from vault.passwords.legacy import parts
from vault.passwords.verifier import Verifier

REFUSALS = (UnknownScheme, UnreadableHash, HashTooCostly)
SENTENCES = {
    "the hash is of no known scheme; a plain or salted digest needs a declared layout",
    "the hash is cut off, or is not what its scheme writes",
    "the hash takes more memory or time than one log-in may",
    "the layout is not one: digests of password and salt, such as sha256(salt+password)",
    "the layout has a salt and the hash none, or the reverse",
    "a salt in a column of its own needs a declared layout",
}
every = pytest.mark.parametrize("sample", ALL, ids=[f"{sample.scheme}-{i}" for i, sample in enumerate(ALL)])


def attempt(text: str, salt: str | None = None, layout: str | None = None) -> Verifier | Exception:
    """Return the verifier, or the refusal, which is one of a few sentences whatever the text was."""
    refused: Exception
    try:
        return legacy.read(text, salt, layout)
    except REFUSALS as error:
        refused = error
    assert str(refused) in SENTENCES
    assert refused.__cause__ is refused.__context__ is None
    return refused


def refused(error: type[Exception], text: str, salt: str | None = None, layout: str | None = None) -> None:
    assert type(attempt(text, salt, layout)) is error


@every
def test_a_text_cut_off_anywhere_is_refused(sample: Sample) -> None:
    whole = legacy.read(sample.text, sample.salt, sample.layout)
    for length in range(len(sample.text)):
        short = attempt(sample.text[:length], sample.salt, sample.layout)
        if isinstance(short, Verifier):
            # LDAP's salt is what is left of its text: whether it is all there, nobody can tell.
            assert sample.text.startswith(("{SS", "{ss", "{SM", "{ldap}"))
            assert legacy.digest(short.scheme, short.encoded, sample.password.encode()) != short.encoded
            assert short != whole


@every
def test_a_changed_character_is_refused_or_makes_another_hash(sample: Sample) -> None:
    whole = legacy.read(sample.text, sample.salt, sample.layout)
    for at, character in enumerate(sample.text):
        for other in set("09AZaz./+$={}: \x00\x7f\n\u0660é\ud800") - {character}:
            changed = attempt(sample.text[:at] + other + sample.text[at + 1 :], sample.salt, sample.layout)
            if isinstance(changed, Verifier) and changed == whole:
                assert same(sample, at, other)


def same(sample: Sample, at: int, other: str) -> bool:
    """Return whether the changed character is no part of the hash: case, bcrypt's version, bits that it leaves out."""
    if sample.layout:
        return sample.text[at].lower() == other.lower()
    version, salt = sample.text.index("$2") + 2, sample.text.rindex("$") + 22
    return (at == version and other == "a") or (
        at == salt and sample.scheme in ("bcrypt", "django_bcrypt_sha256")
    )


@every
def test_more_than_there_is_is_refused(sample: Sample) -> None:
    for more in ("0", "=", "$", "A", "\n", "\x00", " ", "$0", "\u00a0"):
        refused(UnreadableHash, sample.text + more, sample.salt, sample.layout)


BAD = [
    "",
    "\x00",
    "\n",
    "\ud800",
    "$2b$\udfff",
    "\x7f",
    "$P$\x85",
    "a" * 1_025,
    "$2b$" * 250_000,
    "\x00" * 1_000_000,
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_text_of_a_hash_is_refused(text: str) -> None:
    refused(UnreadableHash, text)
    refused(UnreadableHash, text, "salt", "md5(password+salt)")
    for scheme in legacy.schemes():
        for call in (
            legacy.setting,
            legacy.memory,
            lambda name, part: legacy.digest(name, part, b"password"),
        ):
            with pytest.raises(UnreadableHash):
                call(scheme, text)


UNKNOWN = [
    "password", "5f4dcc3b5aa765d61d8327deb882cf99", "{noop}password", "plain$$password", "!", "*", "x", "$", "$$", "{}",
    "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", "$2$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmy",
    "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC", "{MD4}9a1c", "{SSHA", "{Ssha}aaaa",
    "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", "{bcrypt}password", "{BCRYPT}$2a$10$",
    "pbkdf2:md5:1000$salt$00", "pbkdf2_sha512$1000$salt$00", "scrypt", "sha256$salt$00", "crypt$$ab1Hv2Lg7ltQo",
    # werkzeug's HMAC, which looks like Django's: from the salt's length it may be that.
    "sha1$12345678$cff36ea83f5706ce9aa7454e63e431fc726b2dc8", "md5$1234567890123456$3f86d0d3d465b7b458c231bf3555c0e3",
    "$ARGON2ID$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aaaa", "argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aaaa", " $2b$05$",
]  # fmt: skip


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_no_known_scheme_writes_is_unknown(text: str) -> None:
    refused(UnknownScheme, text)


@pytest.mark.parametrize("scheme", ["", "argon2id", "argon2id+bcrypt", "BCRYPT", "noop", "digest"])
def test_a_scheme_that_is_not_one_of_these_is_unknown(scheme: str) -> None:
    for call in (legacy.setting, legacy.memory, lambda name, part: legacy.digest(name, part, b"password")):
        with pytest.raises(UnknownScheme):
            call(scheme, "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")


B22, B31, H128, B43 = "." * 22, "." * 31, "0" * 128, "A" * 43
COSTLY = [
    f"$2b$17${B22}{B31}", f"$2y$31${B22}{B31}", f"bcrypt_sha256$$2b$17${B22}{B31}",
    f"$bcrypt-sha256$v=2,t=2b,r=17${B22}${B31}", f"$bcrypt-sha256$2b,31${B22}${B31}",
    f"pbkdf2_sha256$10000001$salt${B43}=", f"pbkdf2:sha1:4294967295$salt${'0' * 40}",
    f"$pbkdf2-sha256$10000001$c2FsdA${B43}", f"$pbkdf2-sha256$i=10000001,l=32$c2FsdA${B43}",
    f"$pbkdf2-sha1$i=5000001,l=32$c2FsdA${B43}",  # two blocks of SHA-1
    f"scrypt:2097152:8:1$salt${H128}", f"scrypt:1048576:16:1$salt${H128}", f"scrypt:1048576:8:2$salt${H128}",
    f"scrypt:2:1:1025$salt${H128}", f"scrypt:{2**800}:64:1$salt${H128}", f"scrypt$2097152$salt$8$1${'A' * 86}==",
    f"$scrypt$ln=21,r=8,p=1$c2FsdA${B43}", f"$scrypt$ln=10000000000,r=1000000000,p=1$c2FsdA${B43}",
    f"$scrypt$ln=4,r=1073741823,p=2$c2FsdA${B43}",
    f"$scrypt$ln=24,r=2,p=1,l=32$c2FsdA${B43}", f"{{scrypt}}$150801$c2FsdA==${B43}=",
    f"{{scrypt}}$ff{'ff'}01$c2FsdA==${B43}=",
    f"$P$L{'.' * 8}{B22}", f"$H$S{'.' * 8}{B22}",
    f"$5$rounds=5000001$salt${B43[:42]}.", f"$6$rounds=999999999$salt${'.' * 86}",
]  # fmt: skip
IMPOSSIBLE = [
    f"$2b$03${B22}{B31}", f"$2b$00${B22}{B31}", f"$2b$32${B22}{B31}", f"$2b$99${B22}{B31}", f"$2b$5${B22}{B31}",
    f"$2b$005${B22}{B31}", f"$bcrypt-sha256$v=2,t=2b,r=05${B22}${B31}", f"$bcrypt-sha256$v=2,t=2b,r=3${B22}${B31}",
    f"$bcrypt-sha256$v=1,t=2b,r=5${B22}${B31}", f"$bcrypt-sha256$v=2,t=2a,r=5${B22}${B31}",
    f"$bcrypt-sha256$2b,5${B22[:21]}/${B31}", f"$2b$05${B22}{B31[:30]}/", f"$2b$05${B22}{B31}\u0660",
    f"pbkdf2_sha256$0$salt${B43}=", f"pbkdf2_sha256$01$salt${B43}=", f"pbkdf2_sha256$-1$salt${B43}=",
    f"pbkdf2_sha256$1$${B43}=", f"pbkdf2_sha256$1$salt${B43}", f"pbkdf2_sha256$1$salt${B43[:42]}B=",
    f"pbkdf2_sha256$\u0661$salt${B43}=", f"pbkdf2_sha1$1$salt${B43}=", f"pbkdf2:sha256:1$salt${'0' * 40}",
    f"pbkdf2:sha256:1$salt${'A' * 64}", f"pbkdf2_sha256$4294967296$salt${B43}=", f"$pbkdf2-sha1$1$c2FsdA${'A' * 27}",
    f"$pbkdf2-sha256$i=1,l=20$c2FsdA${'A' * 27}", f"$pbkdf2-sha256$i=1,l=032$c2FsdA${B43}",
    f"$pbkdf2-sha256$i=1,l=32$c2FsdB${B43}", f"$pbkdf2-sha256$1${'A' * 700}${B43}", f"{{pbkdf2}}{'0' * 96}",
    f"pbkdf2_sha256$1${'é' * 300}${B43}=", f"{{pbkdf2@SpringSecurity_v5_8}}{'0' * 80}", f"{{pbkdf2}}{'A' * 80}",
    f"scrypt:1000:8:1$salt${H128}", f"scrypt:1:8:1$salt${H128}", f"scrypt:0:8:1$salt${H128}",
    f"scrypt:1024:0:1$salt${H128}", f"scrypt:1024:8:0$salt${H128}", f"scrypt:65536:1:1$salt${H128}",
    f"scrypt:1024:8:1$salt${H128[:64]}", f"scrypt:01024:8:1$salt${H128}", f"$scrypt$ln=0,r=8,p=1$c2FsdA${B43}",
    f"$scrypt$ln=16,r=1,p=1$c2FsdA${B43}", f"$scrypt$ln=4,r=1073741824,p=1$c2FsdA${B43}",
    f"$scrypt$ln=4,r=8,p=1,l=64$c2FsdA${B43}", f"{{scrypt}}$0e0801$c2FsdA==${B43}=",
    f"{{scrypt}}$e0001$c2FsdA==${B43}=",
    f"{{scrypt}}$E0801$c2FsdA==${B43}=", f"$P$4{'.' * 8}{B22}", f"$P$T{'.' * 8}{B22}", f"$P$B{'.' * 8}{B22[:21]}2",
    f"$5$rounds=999$salt${B43[:42]}.", f"$5$rounds=1000000000$salt${B43[:42]}.", f"$5$rounds=01000$salt${B43[:42]}.",
    f"$5$rounds=$salt${B43[:42]}.", f"$5$saltsaltsaltsalts${B43[:42]}.", f"$5$salt${B43[:42]}E", "$1$saltsalts$" + B22,
    f"$5$sa:t${B43[:42]}.", f"$1$salt${B22[:21]}2", f"$6$rounds=1000$rounds=1000$salt${'.' * 86}",
    "{sha256}" + "0" * 64, "{sha256}" + "A" * 80, "{SSHA256}" + "A" * 44, "{SHA}" + "A" * 28, "{MD5}" + "A" * 28,
    "{SSHA}" + "A" * 32 + "$", "{SSHA}ddSFGmjXYPbZC+NXR2kCzBRjqiE=", "{SSHA}" + "A" * 1_000, "md5$salt$" + "0" * 40,
    "{MD5}{salt" + "0" * 32, "{SHA-1}{a}{b}" + "0" * 40, "$layout$md5(password+salt)$$" + "A" * 22,
    "$layout$md5(password)$c2FsdA$" + "A" * 22, "$layout$md5(password)$$" + "A" * 27,
]  # fmt: skip


@pytest.mark.parametrize("text", COSTLY)
def test_what_takes_too_much_is_refused_before_it_is_tried(text: str) -> None:
    refused(HashTooCostly, text)


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_a_scheme_cannot_have_is_unreadable(text: str) -> None:
    refused(UnreadableHash, text)


@pytest.mark.parametrize(
    "text",
    [
        f"$2b$16${B22}{B31}", f"pbkdf2_sha256$10000000$salt${B43[:42]}A=", f"scrypt:1048576:8:1$salt${H128}",
        f"scrypt:16:8:1024$salt${H128}", f"$P$K{'.' * 8}{B22}", f"$6$rounds=5000000$salt${'.' * 86}",
    ],
)  # fmt: skip
def test_the_most_that_is_affordable_is_taken(text: str) -> None:
    assert isinstance(attempt(text), Verifier)


@pytest.mark.parametrize(
    ("scheme", "setting"),
    [
        ("bcrypt", f"$2b$31${B22}"), ("scrypt", "$scrypt$ln=40,r=8,p=1,l=32$c2FsdA"), ("phpass", "$P$S........"),
        ("pbkdf2_sha256", "$pbkdf2-sha256$i=4294967295,l=32$c2FsdA"), ("sha512_crypt", "$6$rounds=999999999$salt"),
    ],
)  # fmt: skip
def test_a_setting_is_not_trusted_either(scheme: str, setting: str) -> None:
    for call in (legacy.setting, legacy.memory, lambda name, part: legacy.digest(name, part, b"password")):
        with pytest.raises(HashTooCostly):
            call(scheme, setting)


def test_a_setting_of_another_scheme_is_unreadable() -> None:
    settings = [legacy.setting(s.scheme, legacy.read(s.text, s.salt, s.layout).encoded) for s in ALL]
    for sample, setting in zip(ALL, settings, strict=True):
        for scheme in legacy.schemes():
            if scheme != sample.scheme:
                with pytest.raises(UnreadableHash):
                    legacy.digest(scheme, setting, b"password")


BEGINNINGS = st.sampled_from(sorted({sample.text[:9] for sample in ALL}))
REST = st.text(st.sampled_from("$,=./+:{}0189abfAZ éinlrp\x00\ud800"), max_size=60) | st.text(max_size=60)


@given(text=st.builds(str.__add__, BEGINNINGS, REST) | st.text(), salt=st.none() | REST)
def test_whatever_the_text_it_is_read_or_refused(text: str, salt: str | None) -> None:
    verifier = attempt(text, salt)
    if isinstance(verifier, Verifier):
        assert legacy.read(verifier.encoded) == verifier


def test_no_sentence_has_a_number_or_a_name_of_anybody_s() -> None:
    assert {str(error()) for error in (parts.unknown, parts.unreadable, parts.too_costly)} <= SENTENCES
