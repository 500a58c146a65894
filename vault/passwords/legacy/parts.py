"""The parts of an encoded hash, each read strictly and written in one way; no error says anything of the text."""

from __future__ import annotations

import base64
import re

from vault.errors import HashTooCostly, UnknownScheme, UnreadableHash

LONGEST = 1_024  # characters of a text; no system writes more
LONGEST_SALT = (
    512  # bytes, so that the canonical text, where four characters stand for three, stays within LONGEST
)

_TEXT = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_HEX = re.compile("(?:[0-9a-f]{2})*")
_BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def unknown() -> UnknownScheme:
    """Return the error of a text that no family knows."""
    return UnknownScheme("the hash is of no known scheme; a plain or salted digest needs a declared layout")


def unreadable() -> UnreadableHash:
    """Return the error of a text that is damaged."""
    return UnreadableHash("the hash is cut off, or is not what its scheme writes")


def too_costly() -> HashTooCostly:
    """Return the error of parameters that nobody may be made to compute."""
    return HashTooCostly("the hash takes more memory or time than one log-in may")


def clean(text: str) -> str:
    """Return the text if it has 1 to 1 024 characters, none of them a control character or half of one."""
    if len(text) > LONGEST or not _TEXT.fullmatch(text):
        raise unreadable()
    return text


def fields(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    """Return the match of the whole text; UnreadableHash if there is none."""
    if found := pattern.fullmatch(text):
        return found
    raise unreadable()


def number(digits: str, least: int, most: int, affordable: int) -> int:
    """Return a decimal number without leading zeros.

    Args:
        least, most: what the scheme can have; UnreadableHash outside of it.
        affordable: HashTooCostly above.
    """
    if not (digits.isascii() and digits.isdecimal()) or (digits[0] == "0" and digits != "0"):
        raise unreadable()
    value = int(digits)
    if not least <= value <= most:
        raise unreadable()
    if value > affordable:
        raise too_costly()
    return value


def salted(salt: bytes) -> bytes:
    """Return the salt if it has at most 512 bytes."""
    if len(salt) > LONGEST_SALT:
        raise unreadable()
    return salt


def from_hex(text: str) -> bytes:
    """Return the bytes of lower-case hex."""
    return bytes.fromhex(fields(_HEX, text)[0])


def from_padded(text: str) -> bytes:
    """Return the bytes of base64 with its padding (RFC 4648, section 4); its unused bits must be zero (3.5)."""
    data = base64.b64decode(fields(_BASE64, text)[0])
    if base64.b64encode(data).decode() != text:
        raise unreadable()
    return data


def from_bare(text: str) -> bytes:
    """Return the bytes of base64 without padding (the PHC string format's B64)."""
    if "=" in text:
        raise unreadable()
    return from_padded(text + "=" * (-len(text) % 4))


def from_adapted(text: str) -> bytes:
    """Return the bytes of libpass's adapted base64: no padding, and a dot in the place of the plus sign."""
    if "+" in text:
        raise unreadable()
    return from_bare(text.replace(".", "+"))


def to_bare(data: bytes) -> str:
    """Return base64 without padding."""
    return base64.b64encode(data).decode().rstrip("=")


def stand_in(password: bytes, most: int) -> bytes:
    """Return what is hashed for a password that a scheme cannot take, so that refusing it takes as long."""
    return password.replace(b"\0", b"\1")[:most]
