"""A chunk as it lies at a target: rows, compressed with zstd (RFC 8878), sealed in the age format (C2SP age)."""

from __future__ import annotations

from collections.abc import Sequence

import pyrage
from backports import zstd

from keys import identity
from keys.secret import Secret

LEVEL = 1  # sealed values do not compress, and what does hardly gains from more
LARGEST = 256 * 1_024 * 1_024  # bytes of a chunk's rows that a reader takes


class NotOpened(Exception):
    """The chunk does not open: none of the identities is a recipient's, or the bytes were altered or cut."""


class NoIdentity(NotOpened):
    """None of the identities is a recipient's."""


def seal(rows: bytes, recipients: Sequence[str]) -> bytes:
    """Return what a target stores, for age X25519 recipients, `age1…`; ValueError if one is none."""
    try:
        known = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError:
        raise ValueError("not an age X25519 recipient") from None
    sealed: bytes = pyrage.encrypt(zstd.compress(rows, LEVEL), known)
    return sealed


def opened(stored: bytes, identities: Sequence[Secret]) -> bytes:
    """Return the rows of a stored chunk; NoIdentity, NotOpened. `identities` are of 32 bytes each."""
    known = [pyrage.x25519.Identity.from_str(identity.text(one).expose().decode()) for one in identities]
    try:
        packed = pyrage.decrypt(stored, known)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise NoIdentity("none of the keys opens it") from None
        raise NotOpened("it is damaged, or not in the age format") from None
    except Exception:  # noqa: BLE001 - of a library in another language, over bytes that anybody may have written
        raise NotOpened("it is damaged, or not in the age format") from None
    try:
        reader = zstd.ZstdDecompressor()
        rows = reader.decompress(packed, LARGEST)
    except zstd.ZstdError:
        raise NotOpened("it holds no zstd frame") from None
    if not reader.eof or reader.unused_data:
        raise NotOpened("its zstd frame is cut, too long, or followed by something")
    return rows
