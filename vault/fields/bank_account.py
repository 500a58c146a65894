"""Account number at a mainland bank: 8 to 32 digits, the form varying from bank to bank.

>>> normalize("1100-1234 5678 9012 345")
'1100123456789012345'
>>> mask("1100123456789012345"), mask("12345678")
('***************2345', '******78')

No standard gives these numbers a length or a check digit. The payment system carries at most 32 characters;
three letters may stand in front (NRA, FTN and the like: accounts of non-residents and of the free trade
zones). Dashes, which some banks print, are not part of the number. A card number is an account number, too.
"""

from __future__ import annotations

import re

from vault.errors import InvalidValue
from vault.fields import track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS

name, sample = "bank_account", "1100 1234 5678 9012 345"  # made up
classification: Classification = "C2"
lookup = True
max_length = 32
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = ending
reserved: str | None = None  # there is no prefix that no bank uses

_digits = re.compile("[0-9]{8,32}").fullmatch
_number = re.compile("[A-Z]{3}[0-9]{8,29}|[0-9]{8,32}").fullmatch


def normalize(value: str) -> str:
    """Return the bare number; raise InvalidValue if it is none."""
    if _digits(value):
        return value
    text = bare(name, value).upper()
    if not _number(text):
        track.refuse(name, text)
        raise InvalidValue(name, "is not 8 to 32 digits of an account")
    return text


def mask(canonical: str) -> str:
    """Show the last 4, of numbers shorter than 12 fewer."""
    return stars(canonical, 0, min(4, len(canonical) // 3), 6)


def shape(canonical: str) -> Alphabets | None:
    """Return a digit for each digit; letters in front are fixed."""
    return tuple(DIGITS if character.isdigit() else character for character in canonical)
