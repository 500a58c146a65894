"""The check digits of ISO 7064 MOD 97-10, as ISO 13616 puts them at the third and fourth place of an IBAN.

>>> ok("GB82WEST12345698765432"), ok("GB83WEST12345698765432"), digits("GB00WEST12345698765432")
(True, False, '82')

They are 02 to 98: 00, 01 and 99 leave the same remainder as 97, 98 and 02 but are nobody's check digits.
"""

from __future__ import annotations

modulus = 97

_NUMERALS = {ord("A") + i: str(10 + i) for i in range(26)}


def positions(text: str) -> tuple[int, ...]:
    """Return the third and fourth position."""
    return (2, 3)


def digits(text: str) -> str:
    """Return the check digits of an IBAN in upper case, whatever stands in their place."""
    return f"{98 - int((text[4:] + text[:2] + '00').translate(_NUMERALS)) % 97:02}"


def ok(text: str) -> bool:
    """Tell whether the third and fourth characters are the check digits of the rest."""
    return text[2:4] == digits(text)
