"""International bank account number (ISO 13616): country, two check digits, the country's own number.

>>> normalize("gb82 west 1234 5698 7654 32")
'GB82WEST12345698765432'
>>> mask("GB82WEST12345698765432")
'GB****************5432'

Length and structure are those of SWIFT's registry, read from python-stdnum. National check digits inside the
number are not asked for: the registry does not have them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stdnum import numdb

from vault.errors import InvalidValue
from vault.fields import mod97, track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS, UPPER

name, sample = "iban", "GB82 WEST 1234 5698 7654 32"  # the example of SWIFT's registry
classification: Classification = "C2"
lookup = True
max_length = 34
options: frozenset[str] = frozenset()
check: Check | None = mod97
last4 = ending
reserved: str | None = None

_REGISTRY = numdb.get("iban")
_ALPHABETS = {"n": DIGITS, "a": UPPER, "c": DIGITS + UPPER}
_part = re.compile("([0-9]+)!([nac])").findall
_number = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}").fullmatch


def normalize(value: str) -> str:
    """Return the number in upper case without spaces; raise InvalidValue if it is none."""
    text = value if _number(value) else bare(name, value).upper()
    if not _number(text):
        track.refuse(name, text)
        raise InvalidValue(name, "is not a country, two digits and 11 to 30 characters")
    if not _structure(text[:2]):
        raise InvalidValue(name, "is of a country that has no IBAN")
    if not _pattern(text[:2]).fullmatch(text):
        raise InvalidValue(name, "has not its country's structure")
    if not mod97.ok(text):
        raise InvalidValue(name, "has wrong check digits")
    return text


def mask(canonical: str) -> str:
    """Show the country and the last 4."""
    return stars(canonical, 2, 4, 8)


def shape(canonical: str) -> Alphabets | None:
    """Return the registry's structure; the country is fixed."""
    return _structure(canonical[:2]) or None


@lru_cache(maxsize=512)
def _structure(country: str) -> Alphabets:
    """Return the alphabet of each position of a country's numbers, none if it has no IBAN."""
    parts = _part(_REGISTRY.info(country)[0][1].get("bban", ""))
    own = tuple(alphabet for length, kind in parts for alphabet in (_ALPHABETS[kind],) * int(length))
    return (*country, DIGITS, DIGITS, *own) if own else ()


@lru_cache(maxsize=128)
def _pattern(country: str) -> re.Pattern[str]:
    return re.compile("".join(f"[{alphabet}]" for alphabet in _structure(country)))
