"""The age format (C2SP age), version 1, for X25519 recipients alone: neither passphrases nor armor are taken."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyrage

from keys import identity
from keys.secret import Secret

_HEADER = re.compile(
    rb"age-encryption\.org/v1\n"
    rb"(?:-> [!-~]+(?: [!-~]+)*\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)+"
    rb"--- [A-Za-z0-9+/]{43}\n"
)
"""A header (C2SP age, "ABNF definition of file header"). The library is laxer: it also reads armor, and a stanza whose
body has no short last line, which no other reader of the format would open."""


class NotOpened(Exception):
    """It does not open: none of the identities is a recipient's, or the bytes were altered or cut."""


class NoIdentity(NotOpened):
    """None of the identities is a recipient's."""


def sealed(data: bytes, recipients: Sequence[str]) -> bytes:
    """Return an age file of `data` for X25519 recipients, `age1…`; ValueError if there is none, or one is none."""
    try:
        known = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError:
        raise ValueError("not an age X25519 recipient") from None
    if not known:
        raise ValueError("no recipient")
    made: bytes = pyrage.encrypt(data, known)
    return made


def opened(stored: bytes, identities: Sequence[Secret]) -> bytes:
    """Return what an age file holds; NoIdentity, NotOpened. `identities` are of 32 bytes each."""
    if not _HEADER.match(stored):
        raise NotOpened("it is not in the age format")
    known = [pyrage.x25519.Identity.from_str(identity.text(one).expose().decode()) for one in identities]
    try:
        data: bytes = pyrage.decrypt(stored, known)
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise NoIdentity("none of the keys opens it") from None
        raise NotOpened("it is damaged, or not in the age format") from None
    return data
