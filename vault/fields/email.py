"""E-mail address (RFC 5321, 5322, 6531), checked by form alone: no name server is asked.

>>> normalize("Zhang.San@Example.COM")
'Zhang.San@example.com'
>>> mask("Zhang.San@example.com")
'Z********@example.com'

The domain becomes lower case and, where it is international, Unicode. The local part keeps its case: RFC
5321, section 2.4, leaves it to the receiving host and forbids to change it, so Zhang@ and zhang@ are two
values here. Common ASCII addresses go past email-validator, to the same answer; their domains are asked of it
once.
"""

from __future__ import annotations

import re
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from vault.errors import InvalidValue
from vault.fields.characters import EDGES, UNSEEN, WIDE, refuse
from vault.fields.masking import ending, stars
from vault.fields.protocol import Check, Classification
from vault.fields.shapes import unshapable

name, sample = "email", "zhang.san@example.com"  # RFC 2606 keeps the domain free
classification: Classification = "C2"
lookup = True
max_length = 254
options: frozenset[str] = frozenset()
check: Check | None = None
last4 = ending
reserved: str | None = None
shape = unshapable

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_common = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.-]+)").fullmatch
_TRACK_MARKS = re.compile("[=^]|[0-9][Dd][0-9]").search
_TYPED = dict(WIDE) | dict.fromkeys(UNSEEN)
_LOCAL = 64  # characters of a local part (RFC 5321, 4.5.3.1.1)


def normalize(value: str) -> str:
    """Return the address in its canonical form; raise InvalidValue if it is none."""
    if (found := _common(value)) and not _TRACK_MARKS(value):
        domain = _domain(found[2])
        common = domain and len(found[1]) <= _LOCAL and found[1].lower() not in CASE_INSENSITIVE_MAILBOX_NAMES
        if common and len(found[1]) + 1 + len(domain) <= max_length:
            return f"{found[1]}@{domain}"
    return _checked(value)


def mask(canonical: str) -> str:
    """Show the first character of the local part and the domain."""
    local, _, domain = canonical.rpartition("@")
    return f"{stars(local, 1, 0, 1)}@{domain}"


def _checked(value: str) -> str:
    text = value.strip(EDGES)
    refuse(name, text)
    address = _asked(text.translate(_TYPED))
    if address is None:
        raise InvalidValue(name, "is not an e-mail address")
    return address


def _asked(text: str) -> str | None:
    """Return what email-validator makes of an address, None if it refuses."""
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """Return an ASCII domain in lower case if that is its canonical form, else nothing."""
    plain = domain.lower()
    return plain if _asked(f"a@{domain}") == f"a@{plain}" else ""
