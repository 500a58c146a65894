"""Payment card number: 12 to 19 digits, the last a Luhn check digit (ISO/IEC 7812-1), UnionPay's included.

>>> normalize("4111 1111-1111 1111")
'4111111111111111'
>>> mask("6212345678901265"), mask("621234567890")
('621234******1265', '621*****7890')
>>> normalize("6212345678901266", luhn=False)
'6212345678901266'

Some issuers' cards do not follow Luhn: `luhn=False` takes them. The standard knows no shorter or longer
number with an issuer identification of 8 digits; which issuer numbers exist is not asked, for lists of them
are never complete.
"""

from __future__ import annotations

import re

from vault.errors import InvalidOption, InvalidValue
from vault.fields import luhn as luhn_digit
from vault.fields import track
from vault.fields.characters import bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import DIGITS

name, sample = "bank_card", "6212 3456 7890 1265"  # UnionPay's sandbox, as Braintree publishes it
classification: Classification = "C2"
lookup = True
max_length = 19
options: frozenset[str] = frozenset({"luhn"})
check: Check | None = luhn_digit
last4 = ending
reserved: str | None = None

_number = re.compile("[0-9]{12,19}").fullmatch


def normalize(value: str, *, luhn: bool = True) -> str:
    """Return the bare digits; raise InvalidValue if they are no card number.

    Args:
        value: the number as typed, digits with spaces or dashes.
        luhn: False to take cards whose last digit does not follow Luhn.
    """
    if luhn is not True and luhn is not False:
        raise InvalidOption("luhn must be true or false", "/options/luhn")
    if not _number(value):
        value = bare(name, value)
        if not _number(value):
            track.refuse(name, value)
            raise InvalidValue(name, "is not 12 to 19 digits")
    if luhn and not luhn_digit.ok(value):
        raise InvalidValue(name, "has a wrong check digit")
    return value


def mask(canonical: str) -> str:
    """Show at most the first 6 and the last 4; of numbers shorter than 15, fewer of the first."""
    return stars(canonical, 6, 4, 5)


def shape(canonical: str) -> Alphabets | None:
    """Return a digit for each digit."""
    return (DIGITS,) * len(canonical)
