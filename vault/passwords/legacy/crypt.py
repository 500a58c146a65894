"""crypt(3) of MD5 and SHA-2: the texts of /etc/shadow, of LDAP's `{CRYPT}` and of many others, through libpass.

| scheme | canonical text |
|---|---|
| md5_crypt | `$1$` salt `$` digest |
| sha256_crypt | `$5$rounds=10000$` salt `$` digest |
| sha512_crypt | `$6$rounds=10000$` salt `$` digest |

5 000 rounds, the default, are not written, though the specification (Drepper, "Unix crypt using SHA-256 and SHA-512")
lets a text say them. A password with NUL or of 512 bytes and more is refused: C's ends at the one, libxcrypt (its
CRYPT_MAX_PASSPHRASE_SIZE) does not take the other.
"""

from __future__ import annotations

import re

from passlib.hash import md5_crypt, sha256_crypt, sha512_crypt

from vault.passwords.legacy import parts
from vault.passwords.legacy.family import SMALL

MOST_ROUNDS = 5_000_000
DEFAULT_ROUNDS, LEAST_ROUNDS, LAST_ROUNDS = 5_000, 1_000, 999_999_999
TAKEN = 511  # bytes of a password

_OUTER = r"(?:\{crypt}|\{CRYPT})?"
_ROUNDS = r"(?:rounds=([0-9]+)\$)?"
_LAST_TWO, _LAST_FOUR = "[./01]", "[./0-9A-D]"  # the last character's bits beyond the digest's are zero
_PATTERNS = {
    "md5_crypt": re.compile(rf"{_OUTER}\$1\$()([./0-9A-Za-z]{{0,8}})(?:\$([./0-9A-Za-z]{{21}}{_LAST_TWO}))?"),
    "sha256_crypt": re.compile(
        rf"{_OUTER}\$5\${_ROUNDS}([./0-9A-Za-z]{{0,16}})(?:\$([./0-9A-Za-z]{{42}}{_LAST_FOUR}))?"
    ),
    "sha512_crypt": re.compile(
        rf"{_OUTER}\$6\${_ROUNDS}([./0-9A-Za-z]{{0,16}})(?:\$([./0-9A-Za-z]{{85}}{_LAST_TWO}))?"
    ),
}
_HEADS = {"md5_crypt": "$1$", "sha256_crypt": "$5$", "sha512_crypt": "$6$"}
_SHA = {"sha256_crypt": sha256_crypt, "sha512_crypt": sha512_crypt}

schemes = tuple(_HEADS)
prefixes = tuple(outer + head for outer in ("", "{crypt}", "{CRYPT}") for head in _HEADS.values())

# libpass chooses how to compute at the first call, and may fail where two threads make it at once: chosen here.
for _handler in (md5_crypt, *_SHA.values()):
    _handler.set_backend()


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    for scheme, head in _HEADS.items():
        if text[text.index("$") :].startswith(head):
            setting, _, _, digest = _parse(scheme, text)
            if digest:
                return scheme, f"{setting}${digest}"
    raise parts.unreadable()


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password; the setting alone if it has a NUL or more than 511 bytes."""
    canonical, rounds, salt, _ = _parse(scheme, setting)
    given = parts.stand_in(password, TAKEN)
    handler = _SHA[scheme].using(salt=salt, rounds=rounds) if scheme in _SHA else md5_crypt.using(salt=salt)
    made: str = handler.hash(given).rpartition("$")[2]
    return f"{canonical}${made}" if given == password else canonical


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return _parse(scheme, encoded)[0]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: next to nothing."""
    _parse(scheme, setting)
    return SMALL


def _parse(scheme: str, text: str) -> tuple[str, int, str, str]:
    """Return setting, rounds, salt and digest, which is "" where there is none."""
    said, salt, digest = parts.fields(_PATTERNS[scheme], text).groups(default="")
    rounds = parts.number(said or str(DEFAULT_ROUNDS), LEAST_ROUNDS, LAST_ROUNDS, MOST_ROUNDS)
    explicit = f"rounds={rounds}$" if rounds != DEFAULT_ROUNDS else ""
    return f"{_HEADS[scheme]}{explicit}{salt}", rounds, salt, digest
