"""Password hashes of other systems: recognized, brought into one text each, and computed again for a password.

A family of schemes is a module (family.py says what is in it); adding one adds a file and its name below.
"""

from __future__ import annotations

import re

from vault.errors import UnreadableHash
from vault.passwords.legacy import bcrypt, crypt, digests, parts, pbkdf2, phpass, scrypt, spring
from vault.passwords.legacy.family import Family
from vault.passwords.verifier import Verifier

__all__ = ["digest", "memory", "read", "schemes", "setting", "whole"]

_FAMILIES: tuple[Family, ...] = (bcrypt, pbkdf2, scrypt, crypt, phpass, digests, spring)

_BY_SCHEME = {scheme: family for family in _FAMILIES for scheme in family.schemes}
_BY_PREFIX = {prefix: family for family in _FAMILIES for prefix in family.prefixes}
_ARGON2 = re.compile(r"(?:\{argon2(?:@SpringSecurity_v5_8)?\}|argon2)?(\$argon2.*)")


def schemes() -> tuple[str, ...]:
    """Return the names of the schemes."""
    return tuple(_BY_SCHEME)


def read(text: str, salt: str | None = None, layout: str | None = None) -> Verifier:
    """Return the verifier of an imported hash.

    Args:
        text: the hash as the other system kept it, 1 to 1 024 characters.
        salt: a salt that stands in a column of its own; only with a layout (digests.py, declare).
        layout: how a digest was made that does not say so itself, for instance `sha256(salt+password)` (expression.py).
    Raises:
        UnknownScheme: no known scheme writes such a text, it may be the password itself, or the layout is none.
        UnreadableHash: the text is damaged, or is not what its scheme writes.
        HashTooCostly: its parameters would take more time or memory than one log-in may; nothing was computed.
    """
    parts.clean(text)
    if layout is not None:
        return Verifier(*digests.declare(text, salt, layout))
    if salt:
        raise UnreadableHash("a salt in a column of its own needs a declared layout")
    if found := _ARGON2.fullmatch(text):
        # Late, for it loads a library that the other schemes do not need.
        from vault.passwords import argon2id

        return argon2id.read(found[1])
    for prefix, family in _BY_PREFIX.items():
        if text.startswith(prefix):
            return Verifier(*family.read(text))
    raise parts.unknown()


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text that a scheme makes of a password.

    Args:
        setting: salt and parameters as `setting` returns them, or a whole canonical text, of which they are taken.
    Returns:
        the whole text, to be compared in constant time; the setting alone, which equals none, if the scheme cannot
        take the password (bcrypt and crypt none with NUL, crypt none of 512 bytes, phpass none above 4 096). It takes
        about as long all the same.
    Raises:
        UnknownScheme, UnreadableHash, HashTooCostly: as `read`.
    """
    return _family(scheme).digest(scheme, parts.clean(setting), password)


def setting(scheme: str, encoded: str) -> str:
    """Return a canonical text without its digest: salt and parameters. Raises as `digest`."""
    return _family(scheme).setting(scheme, parts.clean(encoded))


def memory(scheme: str, setting: str) -> int:
    """Return the kibibytes that one digest with this setting takes. Raises as `digest`."""
    return _family(scheme).memory(scheme, parts.clean(setting))


def whole(scheme: str, password: bytes) -> bool:
    """Whether a scheme looks at all of a password, so that one that is right is the one that was chosen.

    bcrypt itself leaves out what comes behind 72 bytes, so one of 72 may go on; schemes that hash before it do not.
    """
    return scheme != bcrypt.PLAIN or len(password) < bcrypt.TAKEN


def _family(scheme: str) -> Family:
    if family := _BY_SCHEME.get(scheme):
        return family
    raise parts.unknown()
