"""An identity's texts are those of age, and others read them."""

from __future__ import annotations

import pyrage
import pytest

from keys import identity
from keys.errors import KeyFileError
from keys.secret import Secret

# C2SP age, "The X25519 recipient type", gives this pair.
TEXT = b"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def test_the_texts_are_those_of_the_specification() -> None:
    secret = identity.read(TEXT)
    assert secret.expose() == b"\x42" * 32
    assert identity.recipient(secret) == RECIPIENT
    assert identity.text(secret).expose() == TEXT


def test_age_opens_what_is_sealed_to_the_recipient() -> None:
    secret = Secret.random()
    sealed = pyrage.encrypt(b"canary", [pyrage.x25519.Recipient.from_str(identity.recipient(secret))])
    opener = pyrage.x25519.Identity.from_str(identity.text(secret).expose().decode())
    assert pyrage.decrypt(sealed, [opener]) == b"canary"


def test_a_key_file_of_age_keygen_is_read() -> None:
    written = b"# created: 2026-11-26T05:00:00Z\n# public key: " + RECIPIENT.encode() + b"\n" + TEXT + b"\n"
    assert identity.recipient(identity.read(written)) == RECIPIENT


@pytest.mark.parametrize(
    "written",
    [b"", b"# nothing\n", TEXT[:-1], TEXT + b"\n" + TEXT, TEXT.replace(b"4EGAEX", b"4EGAEZ"), b"\xff" * 74,
     RECIPIENT.encode()],
    ids=["empty", "comment", "cut", "twice", "mistyped", "bytes", "recipient"],
)  # fmt: skip
def test_what_is_no_identity_is_refused_and_not_repeated(written: bytes) -> None:
    with pytest.raises(KeyFileError) as refused:
        identity.read(written)
    assert "AGE-SECRET-KEY" not in str(refused.value)


def test_recipients_are_told_from_other_texts() -> None:
    assert identity.is_recipient(RECIPIENT)
    for text in ("", "age1", RECIPIENT[:-1], RECIPIENT + "q", RECIPIENT.replace("zvky", "zvkx"), TEXT.decode(),
                 "ssh-ed25519 AAAA", "age1pq1" + "q" * 58):  # fmt: skip
        assert not identity.is_recipient(text)
