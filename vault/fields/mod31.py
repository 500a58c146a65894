"""The check character of GB 32100-2015: weights 3**i mod 31 over 31 characters (no I, O, S, V, Z).

>>> ok("91350100M000100Y43"), ok("91350100M000100Y4Z"), character("91350100M000100Y4")
(True, False, '3')
"""

from __future__ import annotations

modulus = 31
LENGTH = 18  # characters, the check character last
CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

# The characters' values as digits of base 34, which is 3 modulo 31: the parser then does the weighting.
_BASE_34 = str.maketrans(CHARACTERS, "0123456789abcdefghijklmnopqrstu")


def positions(text: str) -> tuple[int, ...]:
    """Return the last position of an 18-character code, none of any other."""
    return (LENGTH - 1,) if len(text) == LENGTH else ()


def character(body: str) -> str:
    """Return the check character of the 17 characters before it."""
    return CHARACTERS[-int(body[::-1].translate(_BASE_34), 34) % 31]


def ok(text: str) -> bool:
    """Tell whether the 18th character is the check character of the 17 before it."""
    return len(text) == LENGTH and text[17] == character(text[:17])
