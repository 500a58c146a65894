"""Make and parse tokens. A token is random and says nothing of its value; its stored form is bytes.

Public forms: opaque `tok_live_` or `tok_test_`, the bucket as 3 hex digits, 128 random bits as 32 hex digits;
shaped, the bare text, which is read together with its field. Stored forms: 0x01 and the 16 bytes; 0x02, the field's
name, NUL, the text.
"""

from __future__ import annotations

import os
import re
import secrets
import struct
from collections.abc import Sequence

from vault.columns import Mode
from vault.errors import ItemError, MalformedToken, WrongMode
from vault.index import BUCKETS

OPAQUE, SHAPED = b"\x01", b"\x02"
FAMILY = "tok_"  # what begins so is read as an opaque token
PREFIX = {"live": "tok_live_", "test": "tok_test_"}
LENGTH = 44
MAX_SHAPED = 64
_BODY = re.compile("[0-9a-f]{35}")
_COLUMN = {mode: re.compile(f"(?:{prefix}[0-9a-f]{{35}})+") for mode, prefix in PREFIX.items()}
_PARTS = struct.Struct(">H16s")  # bucket and random bits of an opaque token


def draw_bucket() -> int:
    """Return the bucket of a request's fresh tokens, so that its rows lie together."""
    return secrets.randbelow(BUCKETS)


def draw(count: int) -> list[bytes]:
    """Return the stored forms of new opaque tokens, 128 random bits each."""
    noise = os.urandom(16 * count)
    return [OPAQUE + noise[at : at + 16] for at in range(0, 16 * count, 16)]


def shaped(field: str, text: str) -> bytes:
    """Return the stored form of a shaped token."""
    return SHAPED + field.encode() + b"\0" + text.encode()


def texts(mode: Mode, buckets: Sequence[int], tokens: Sequence[bytes]) -> list[str]:
    """Return the public forms of stored tokens."""
    heads = {bucket: f"{PREFIX[mode]}{bucket:03x}" for bucket in set(buckets)}
    return [
        heads[bucket] + token.hex()[2:] if token[0] == 1 else token[token.index(0) + 1 :].decode()
        for bucket, token in zip(buckets, tokens, strict=True)
    ]


def parse_opaque(mode: Mode, column: Sequence[object]) -> list[tuple[int, bytes]] | None:
    """Return buckets and stored forms of a column that holds nothing but good opaque tokens; None if it holds more."""
    try:
        joined = "".join(column)  # type: ignore[arg-type]
    except TypeError:
        return None
    if not _COLUMN[mode].fullmatch(joined) or {*map(len, column)} != {LENGTH}:  # type: ignore[arg-type]
        return None
    raw = bytes.fromhex(joined.replace(PREFIX[mode], "0"))  # the bucket's three digits become two bytes
    return [(bucket, OPAQUE + noise) for bucket, noise in _PARTS.iter_unpack(raw)]


def parse(mode: Mode, text: object, field: str | None) -> tuple[int | None, bytes]:
    """Return bucket and stored form of a public token; the bucket of a shaped one is None, for the caller to hash.

    Raises:
        MalformedToken: it has not the form of a token, or is shaped and `field` was not given.
        WrongMode: a live token under a test key, or the reverse.
    """
    if not isinstance(text, str):
        raise MalformedToken("a token is a string")
    if len(text) == LENGTH and text.startswith(PREFIX[mode]) and _BODY.fullmatch(text, 9):
        return int(text[9:12], 16), OPAQUE + bytes.fromhex(text[12:])
    if text.startswith(FAMILY):
        raise _refusal(mode, text)
    if field is None:
        raise MalformedToken("not an opaque token; name the field to read a shaped one")
    if not 0 < len(text) <= MAX_SHAPED or not text.isascii() or not text.isprintable():
        raise MalformedToken("not the form of a shaped token")
    return None, shaped(field, text)


def _refusal(mode: Mode, text: str) -> ItemError:
    other: Mode = "test" if mode == "live" else "live"
    if text.startswith(PREFIX[other]):
        return WrongMode(f"a token of {other} data under a key for {mode} data")
    return MalformedToken("an opaque token has its prefix and 35 lower-case hexadecimal digits")
