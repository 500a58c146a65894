"""phpass's portable hashes, as WordPress, phpBB and Joomla kept them, through libpass.

The canonical text is `$P$`, the logarithm of the rounds as one character, salt (8 characters), digest (22). phpBB's
`$H$` is the same thing. A password of more than 4 096 bytes is refused, as by their CheckPassword.
"""

from __future__ import annotations

import re

from passlib.hash import phpass

from vault.passwords.legacy import parts
from vault.passwords.legacy.family import SMALL

MOST_LOG = 22  # four million rounds of MD5: some two seconds of one core
LEAST_LOG, LAST_LOG = 7, 30  # PasswordHash.php, crypt_private
TAKEN = 4_096  # bytes of a password

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{21}[./01])?")

schemes = ("phpass",)
prefixes = ("$P$", "$H$")


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    setting, _, _, digest = _parse(text)
    if not digest:
        raise parts.unreadable()
    return schemes[0], setting + digest


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password; the setting alone if it has more than 4 096 bytes."""
    canonical, log, salt, _ = _parse(setting)
    made: str = phpass.using(ident="$P$", rounds=log, salt=salt).hash(password[:TAKEN])
    return made if len(password) <= TAKEN else canonical


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return _parse(encoded)[0]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: next to nothing."""
    _parse(setting)
    return SMALL


def _parse(text: str) -> tuple[str, int, str, str]:
    """Return setting, logarithm, salt and digest, which is "" where there is none."""
    cost, salt, digest = parts.fields(_PATTERN, text).groups(default="")
    log = parts.number(str(_ALPHABET.index(cost)), LEAST_LOG, LAST_LOG, MOST_LOG)
    return f"$P${cost}{salt}", log, salt, digest
