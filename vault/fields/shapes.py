"""Alphabets of shaped tokens, position by position."""

from __future__ import annotations

from vault.fields.protocol import Alphabets

DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()


def unshapable(canonical: str) -> Alphabets | None:
    """Return None: no token is shaped like the values of this type."""
    return None


def alike(canonical: str) -> Alphabets:
    """Return digits for a digit, letters of its case for a letter, and the character itself for any other.

    >>> alike("E-1")
    ('ABCDEFGHIJKLMNOPQRSTUVWXYZ', '-', '0123456789')
    """
    return tuple(
        next((alphabet for alphabet in (DIGITS, UPPER, LOWER) if character in alphabet), character)
        for character in canonical
    )
