"""Passport number: letters and digits, mostly 9 of them (ICAO Doc 9303-3 and -4), of any country.

>>> normalize("e 1234 5678"), normalize("L898902C3")
('E12345678', 'L898902C3')
>>> mask("E12345678")
'E*******8'

The machine-readable zone has room for 9 characters and fills with "<"; the printed number may be longer. Each
country numbers as it likes (Chinese ones today E, D, S, P with a letter or digits behind, older ones G and
digits alone), so nothing but the alphabet is asked, and 5 to 20 characters.
"""

from __future__ import annotations

import re

from vault.errors import InvalidValue
from vault.fields import track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import alike

name, sample = "passport", "L898902C3"  # the specimen of ICAO Doc 9303-4
classification: Classification = "C2"
lookup = True
max_length = 20
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = ending
reserved: str | None = None  # there is no prefix that no country uses

_number = re.compile("(?!.*[0-9]{12}D[0-9]{4})[A-Z0-9]{5,20}").fullmatch


def normalize(value: str) -> str:
    """Return the number in upper case; raise InvalidValue if it is none."""
    if _number(value):
        return value
    text = bare(name, value).upper().rstrip("<")
    if not _number(text):
        track.refuse(name, text)
        raise InvalidValue(name, "is not 5 to 20 letters and digits")
    return text


def mask(canonical: str) -> str:
    """Show the first and the last character."""
    return stars(canonical, 1, 1, 3)


def shape(canonical: str) -> Alphabets | None:
    """Return a letter for each letter and a digit for each digit."""
    return alike(canonical)
