"""The text of an Argon2 hash: `$argon2id$v=19$m=65536,t=3,p=4$salt$tag` (PHC string format, Argon2 encoding)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from vault.errors import UnreadableHash

FIRST_VERSION, VERSION = 16, 19  # 1.0, which old texts do not even name; 1.3 is that of RFC 9106
LEAST_SALT, MOST_SALT = 8, 64  # bytes; the PHC string format has 8 to 48, and there are 64 in use
LEAST_TAG, MOST_TAG = 12, 64  # bytes, as the PHC string format has it; RFC 9106 allows 4 to 2**32 - 1

_FORM = re.compile(
    r"\$(argon2id|argon2i|argon2d)(?:\$v=(16|19))?"
    r"\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,2})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """The parts of the text.

    Attributes:
        scheme: argon2id, argon2i or argon2d.
        version: 16 or 19.
        memory: kibibytes, at least eight a lane (RFC 9106, section 3.1).
        passes: over the memory.
        lanes: that it is filled in.
    """

    scheme: str
    version: int
    memory: int
    passes: int
    lanes: int
    salt: bytes = field(repr=False)
    tag: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The one canonical text."""
        parameters = f"m={self.memory},t={self.passes},p={self.lanes}"
        return f"${self.scheme}$v={self.version}${parameters}${_b64(self.salt)}${_b64(self.tag)}"


def parse(text: str) -> Encoded:
    """Return the parts of a text; UnreadableHash if the reference implementation would not write it.

    Numbers have no leading zeros, base64 neither padding nor stray bits. A key id or associated data are refused: the
    key is not known here.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise UnreadableHash("the text is no whole Argon2 hash")
    scheme, version, *numbers, salt, tag = found.groups()
    memory, passes, lanes = map(int, numbers)
    encoded = Encoded(scheme, int(version or FIRST_VERSION), memory, passes, lanes, _bytes(salt), _bytes(tag))
    if memory < 8 * lanes:
        raise UnreadableHash("an Argon2 hash has at least eight kibibytes of memory a lane")
    if not LEAST_SALT <= len(encoded.salt) <= MOST_SALT or not LEAST_TAG <= len(encoded.tag) <= MOST_TAG:
        raise UnreadableHash("an Argon2 hash has a salt of 8 to 64 bytes and a tag of 12 to 64")
    return encoded


def _b64(value: bytes) -> str:
    return b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Return the bytes; UnreadableHash if the text is cut off or is not what they are written as."""
    value = b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
    if _b64(value) != text:
        raise UnreadableHash("the salt or the tag of the Argon2 hash is cut off or altered")
    return value
