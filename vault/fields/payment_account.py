"""Account at a wallet or the like: its number or id, or the phone number or e-mail address it goes by.

>>> normalize("2088 0000 0000 0000"), normalize("+86 138-0013-8000"), normalize("Zhang.San@Example.COM")
('2088000000000000', '13800138000', 'Zhang.San@example.com')
>>> mask("2088000000000000"), mask("13800138000")
('************0000', '138****8000')

With an @ it is an e-mail address; with a plus sign or 0086 in front a phone number, of which wallets name
mainland mobiles by their bare 11 digits and others in E.164; else an id of 4 to 64 letters (case counts),
digits, and "_", "-", ".".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from vault.errors import InvalidValue
from vault.fields import email, phone, track
from vault.fields.characters import DASHES, EDGES, MAX_BARE, SPACES, UNSEEN, WIDE, bare
from vault.fields.masking import ending, stars
from vault.fields.protocol import Alphabets, Check, Classification
from vault.fields.shapes import alike

name, sample = "payment_account", "2088 0000 0000 0000"  # made up in the form of Alipay's
classification: Classification = "C2"
lookup = True
max_length = 254
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = ending
reserved: str | None = None  # there is no prefix that no service uses

_id = re.compile("[A-Za-z0-9_.-]{4,64}").fullmatch
_digits = re.compile("(?!00)[0-9]{4,64}").fullmatch
_spaced_digits = re.compile("[0-9 -]+").fullmatch
_mainland_mobile = re.compile(r"\+861[0-9]{10}").fullmatch
_mainland_prefix = re.compile("0086[ -]?1").match
_TYPED = dict(WIDE) | dict.fromkeys(UNSEEN) | dict.fromkeys(DASHES, 0x2D) | dict.fromkeys(SPACES, 0x20)


def normalize(value: str) -> str:
    """Return the account's id in its canonical form; raise InvalidValue if it is none."""
    if _digits(value):
        return value
    if len(value) > MAX_BARE:
        raise InvalidValue(name, "is too long")
    text = value.strip(EDGES).translate(_TYPED)
    track.refuse(name, text)
    if "@" in text:
        return _as(email.normalize, text)
    if text[:1] == "+" or _mainland_prefix(text):
        number = _as(phone.normalize, text)
        return number[3:] if _mainland_mobile(number) else number
    text = bare(name, text) if _spaced_digits(text) else text
    if not _id(text):
        raise InvalidValue(name, "is not 4 to 64 characters of an account's id")
    return text


def _as(normalized: Callable[[str], str], text: str) -> str:
    """Return what another field type makes of `text`, its refusals under this field's name."""
    try:
        return normalized(text)
    except InvalidValue as refused:
        raise InvalidValue(name, refused.reason) from None


def mask(canonical: str) -> str:
    """Show phone numbers and e-mail addresses by their own rule, of an id the last 4, of a short one less."""
    if "@" in canonical:
        return email.mask(canonical)
    if canonical[0] == "+":
        return phone.mask(canonical)
    if len(canonical) == 11 and canonical.isdigit():
        return stars(canonical, 3, 4, 4)
    return stars(canonical, 0, min(4, len(canonical) // 3), 3)


def shape(canonical: str) -> Alphabets | None:
    """Return digits for digits, letters for letters; None for e-mail addresses and phones abroad."""
    return None if "@" in canonical or canonical[0] == "+" else alike(canonical)
