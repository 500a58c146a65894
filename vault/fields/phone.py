"""Phone number in E.164 (ITU-T): a plus sign and at most 15 digits, the country's code first.

>>> normalize("138 0013 8000"), normalize("0086-138-0013-8000"), normalize("(010) 1234 5678")
('+8613800138000', '+8613800138000', '+861012345678')
>>> normalize("2025550123", region="US")
'+12025550123'
>>> mask("+8613800138000")
'+86138****8000'

A number is taken if Google's libphonenumber says that its country's plan has it. Mainland mobiles go past the
library by the library's own pattern for them, to the same answer. An extension does not fit into E.164 and is
refused.
"""

from __future__ import annotations

import re

import phonenumbers

from vault.errors import InvalidOption, InvalidValue
from vault.fields import track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS

name, sample = "phone", "138 0013 8000"  # China Mobile's own number for topping up
classification: Classification = "C2"
lookup = True
max_length = 16
options: frozenset[str] = frozenset({"region"})
check: Check | None = None
last4 = ending
# Behind +86: mobiles begin with 13 to 19, area codes are 10, 2x and three digits from 3 to 9, 12x carries
# nothing but short numbers of the operators (numbering plan of 2017; libphonenumber knows no number with 12
# in front either).
reserved: str | None = "12"

_MOBILE = phonenumbers.PhoneMetadata.metadata_for_region("CN").mobile.national_number_pattern  # type: ignore[union-attr]
_mobile = re.compile(rf"(?:(?:\+|00)?86)?({_MOBILE})").fullmatch
_number = re.compile("[0-9+][0-9()./]*").fullmatch
_PUNCTUATION = "()./"


def normalize(value: str, *, region: str = "CN") -> str:
    """Return the number in E.164; raise InvalidValue if it is none.

    Args:
        value: the number as typed.
        region: where a number without country code belongs (ISO 3166-1 alpha-2).
    """
    if region != "CN":
        _known(region)
    elif (found := _mobile(value)) or (found := _mobile(bare(name, value, _PUNCTUATION))):
        return "+86" + found[1]
    return _looked_up(value, region)


def mask(canonical: str) -> str:
    """Show the country's code and of the rest the first 3 and at most the last 4, with at least 4 hidden."""
    code = _code(canonical)
    rest = canonical[code:]
    first = min(3, max(0, len(rest) - 4))
    return canonical[:code] + stars(rest, first, min(4, max(0, len(rest) - first - 4)), 4)


def shape(canonical: str) -> Alphabets | None:
    """Return digits behind a fixed +86; None for numbers without area code and for other countries.

    There the prefix that no number has would be another one.
    """
    if not canonical.startswith("+86") or len(canonical) not in {13, 14}:
        return None
    return ("+", "8", "6") + (DIGITS,) * (len(canonical) - 3)


def national(canonical: str) -> str:
    """Return the number without plus sign and country's code.

    >>> national("+8613800138000"), national("+85261234567")
    ('13800138000', '61234567')
    """
    return canonical[_code(canonical) :]


def _known(region: object) -> None:
    if not isinstance(region, str) or region not in phonenumbers.SUPPORTED_REGIONS:
        raise InvalidOption("region must be a country's two letters (ISO 3166-1)", "/options/region")


def _looked_up(value: str, region: str) -> str:
    text = _spelled(value)
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        raise InvalidValue(name, "is not a number of its country's plan")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _spelled(value: str) -> str:
    """Return `value` in ASCII digits and punctuation; letters (vanity numbers, extensions) are refused."""
    text = bare(name, value).lstrip("(")
    if not _number(text):
        track.refuse(name, text)
        raise InvalidValue(name, "has characters that no phone number has")
    return text


def _code(canonical: str) -> int:
    """Return how many characters of an E.164 number are the plus sign and the country's code."""
    if canonical.startswith("+86"):
        return 3
    return next(
        (end for end in (2, 3, 4) if int(canonical[1:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), 1
    )
