"""Unified social credit code of an organisation: 18 characters, the last a check character (GB 32100-2015).

>>> normalize("9135 0100 m000 100y 43")
'91350100M000100Y43'
>>> mask("91350100M000100Y43")
'91**************43'

The 15-digit registration number that companies had before (GS 15-2006, check digit by ISO 7064 MOD 11,10) is
taken, too, in a form of its own, for contracts and archives still name it; there is no way to compute one
from the other. Which authorities and kinds of organisation exist (first two characters) is not asked: the
list grows.
"""

from __future__ import annotations

import re

from stdnum.iso7064 import mod_11_10

from vault.errors import InvalidValue
from vault.fields import mod31, track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS

name, sample = "uscc", "91350100M000100Y43"  # the standard's worked example with the right check character
classification: Classification = "C2"  # a sole trader's code points to a person
lookup = True
max_length = 18
options: frozenset[str] = frozenset()
check: Check | None = mod31
last4 = ending
reserved: str | None = None

_code = re.compile(f"[{mod31.CHARACTERS}]{{2}}[0-9]{{6}}[{mod31.CHARACTERS}]{{10}}").fullmatch
_registration = re.compile("[0-9]{15}").fullmatch


def normalize(value: str) -> str:
    """Return the code in upper case; raise InvalidValue if it is none."""
    text = value if _code(value) else bare(name, value).upper()
    if _registration(text):
        right = mod_11_10.is_valid(text)
    elif _code(text):
        right = mod31.ok(text)
    else:
        track.refuse(name, text)
        raise InvalidValue(
            name, "is not 18 characters of a credit code or 15 digits of a registration number"
        )
    if not right:
        raise InvalidValue(name, "has a wrong check character")
    return text


def mask(canonical: str) -> str:
    """Show the first two characters (authority and kind of organisation) and the last two."""
    return stars(canonical, 2, 2, 11)


def shape(canonical: str) -> Alphabets | None:
    """Return two characters, six digits, ten characters; None for a registration number."""
    if len(canonical) != mod31.LENGTH:
        return None
    return (mod31.CHARACTERS,) * 2 + (DIGITS,) * 6 + (mod31.CHARACTERS,) * 10
