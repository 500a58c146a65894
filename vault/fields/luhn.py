"""The Luhn check digit (ISO/IEC 7812-1, Annex B): digits, every other doubled, sum to a multiple of 10.

>>> ok("6212345678901265"), ok("6212345678901264")
(True, False)
"""

from __future__ import annotations

modulus = 10

# Each digit to the digit sum of its double, as bytes, so that a number is summed without a loop over its
# digits.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def positions(text: str) -> tuple[int, ...]:
    """Return the last position."""
    return (len(text) - 1,)


def ok(text: str) -> bool:
    """Tell whether the last of these ASCII digits is their Luhn check digit."""
    digits = text.encode()
    return (sum(digits[::-2]) + sum(digits[-2::-2].translate(_DOUBLED)) - 48 * len(digits)) % 10 == 0
