"""Identity number of a resident of China: 18 characters, the last a check character (GB 11643-1999).

Taken are citizens' numbers, those of the first generation with 15 digits (they become 18), the residence
permits of residents of Hong Kong, Macao and Taiwan (810000, 820000, 830000), and the foreigner's permanent
residence card: since December 2023 18 characters that begin with 9, a province and a numeric country
(National Immigration Administration, adaptation notes of 2023), before that three letters and 12 digits.

>>> normalize("110105 19491231 002x")
'11010519491231002X'
>>> normalize("110105491231002")
'11010519491231002X'
>>> normalize("911124198108030024")
'911124198108030024'
>>> normalize("xxa110000010101")
'XXA110000010101'
>>> mask("11010519491231002X")
'1****************X'
>>> normalize("110105194902290029")
Traceback (most recent call last):
vault.errors.InvalidValue: resident_id: has no real date of birth

A date of birth in the future is refused if the caller says what day it is; the vault has no clock of its own.
How old a person may be the standard does not say, so neither does this module.
"""

from __future__ import annotations

import re
from datetime import date

from vault.errors import InvalidValue
from vault.fields import mod11_2, regions, track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS

name, sample = "resident_id", "11010519491231002X"
classification: Classification = "C2"
lookup = True
max_length = 18
options: frozenset[str] = frozenset()
check: Check | None = mod11_2
last4 = ending
reserved: str | None = None

_number = re.compile("[0-9]{17}[0-9X]").fullmatch
_first_generation = re.compile("[0-9]{15}").fullmatch
_old_residence_card = re.compile("[A-Z]{3}[0-9]{12}").fullmatch
_two_widths = re.compile("[0-9].*[\uff10-\uff19]|[\uff10-\uff19].*[0-9]").search

# Sequence numbers that GB 11643-1989 kept for people over a hundred years old, so born before 1900. The
# 1999 edition names and drops the clause; the four numbers are known from secondary sources only.
_CENTENARIANS = frozenset({"996", "997", "998", "999"})


def normalize(value: str, *, today: date | None = None) -> str:
    """Return the number in 18 characters (15 for the older residence card); raise InvalidValue if it is none.

    Args:
        value: the number as typed.
        today: the day, if a birth after it is to be refused.
    """
    if not _number(value):
        value = _spelled(value)
        if len(value) == 15:
            return value
    birth = _birth(value)
    if birth is None:
        raise InvalidValue(name, "has no real date of birth")
    if today is not None and birth > today:
        raise InvalidValue(name, "has a date of birth in the future")
    if value[0] == "9":
        if value[1:3] not in regions.PROVINCES:
            raise InvalidValue(name, "has no known place of issue")
    elif not regions.in_force(value[:6], birth.year):
        raise InvalidValue(name, "has no address code in force since birth")
    if not mod11_2.ok(value):
        raise InvalidValue(name, "has a wrong check character")
    return value


def mask(canonical: str) -> str:
    """Show the first and the last character."""
    return stars(canonical, 1, 1, 13)


def shape(canonical: str) -> Alphabets | None:
    """Return 17 digits and a check character; None for the older residence card (no published check)."""
    return (DIGITS,) * 17 + (DIGITS + "X",) if len(canonical) == 18 else None


def _birth(number: str) -> date | None:
    try:
        return date.fromisoformat(number[6:14])
    except ValueError:
        return None


def _spelled(value: str) -> str:
    text = bare(name, value).upper()
    # One digit of another width among the rest is a sign of an edited number; an input method writes all of
    # them wide.
    if _two_widths(value):
        raise InvalidValue(name, "mixes digits of two widths")
    if _number(text) or _old_residence_card(text):
        return text
    if not _first_generation(text):
        track.refuse(name, text)
        raise InvalidValue(name, "is not 15 or 18 characters of an identity number")
    body = text[:6] + ("18" if text[12:] in _CENTENARIANS else "19") + text[6:]
    return body + mod11_2.character(body)
