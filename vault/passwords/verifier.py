"""What is kept of a password, and its bytes before they are sealed."""

from __future__ import annotations

from dataclasses import dataclass, field

from vault.context import pack
from vault.errors import UnreadableValue

ARGON2ID = "argon2id"
WRAPPED = "argon2id+"  # in front of the name of a legacy scheme
_FORMAT = b"\x01"


@dataclass(frozen=True, slots=True)
class Verifier:
    """One password's verifier.

    Attributes:
        scheme: "argon2id"; a legacy scheme's name; or "argon2id+" and that name, where Argon2id is over its hash.
        encoded: the encoded Argon2id hash, or the legacy scheme's own text in its canonical form.
        inner: where Argon2id is over a legacy hash, the legacy text without its digest: salt and parameters.
        normalized: the password was brought to NFC once, so a candidate is brought there too.
    """

    scheme: str
    encoded: str = field(repr=False)
    inner: str = field(default="", repr=False)
    normalized: bool = False


def to_bytes(verifier: Verifier) -> bytes:
    """Return the verifier's one canonical encoding: format 0x01, then each part behind its length (4 bytes)."""
    flag = b"\x01" if verifier.normalized else b"\x00"
    return _FORMAT + pack(flag, verifier.scheme.encode(), verifier.encoded.encode(), verifier.inner.encode())


def from_bytes(text: bytes) -> Verifier:
    """Return the verifier; UnreadableValue if the bytes are not the canonical encoding of one."""
    parts, at = [], 1
    while at < len(text):
        size = int.from_bytes(text[at : at + 4], "big")
        parts.append(text[at + 4 : at + 4 + size])
        at += 4 + size
    if text[:1] == _FORMAT and len(parts) == 4:
        flag, scheme, encoded, inner = parts
        verifier = Verifier(scheme.decode(), encoded.decode(), inner.decode(), flag == b"\x01")
        if to_bytes(verifier) == text:
            return verifier
    raise UnreadableValue("a password's verifier has a format this version does not know")
