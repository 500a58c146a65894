"""bcrypt, alone or over a digest of the password: OpenBSD's, PHP's, Spring's, Django's and libpass's texts.

| scheme | canonical text |
|---|---|
| bcrypt | `$2b$12$` salt digest |
| django_bcrypt_sha256 | `bcrypt_sha256$$2b$12$` salt digest |
| passlib_bcrypt_sha256 | `$bcrypt-sha256$v=2,t=2b,r=12$` salt `$` digest |
| passlib_bcrypt_sha256_v1 | `$bcrypt-sha256$2b,12$` salt `$` digest |

`$2a$` and `$2y$` become `$2b$`: today's implementations compute the same under the three names. `$2x$`, and `$2a$` as
PHP before 5.3.7 made it of other than ASCII characters, come from a bug (CVE-2011-2483) and are not known here. A
password's bytes after the 72nd are left out, as bcrypt always did (the bcrypt library refuses such passwords since
5.0 instead). A password with NUL is refused: in C it ended there, in Java it did not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import NamedTuple

import bcrypt

from vault.passwords.legacy import parts
from vault.passwords.legacy.family import SMALL

MOST_COST = 16  # log2 of the rounds: some five seconds of one core
LEAST_COST, LAST_COST = 4, 31
TAKEN = 72  # bytes of a password
PLAIN = "bcrypt"  # the scheme that takes no more of it

_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_TWO_DIGITS = r"(?=[0-9]{2}\$)0?([0-9]+)\$"  # of which the first may be zero
_SALT = "([./A-Za-z0-9]{22})"
_CLEAN_SALT = "([./A-Za-z0-9]{21}[.Oeu])"  # 132 bits for 128: the last four are zero
_DIGEST = "([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])"  # 186 bits for 184: the last two are zero
_OUTER = ("", "{bcrypt}", "{crypt}", "{CRYPT}", "bcrypt$")


class _Form(NamedTuple):
    """One scheme: its texts, what its canonical ones have around the salt, and what bcrypt is given."""

    pattern: re.Pattern[str]
    head: str
    between: str
    key: Callable[[bytes, str], bytes]


def _hex(password: bytes, _: str) -> bytes:
    return hashlib.sha256(password).hexdigest().encode()


def _base64(password: bytes, _: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password).digest())


def _keyed(password: bytes, salt: str) -> bytes:
    return base64.b64encode(hmac.digest(salt.encode(), password, "sha256"))


# django.contrib.auth.hashers, BCryptSHA256PasswordHasher; passlib.hash.bcrypt_sha256, format and algorithm.
_FORMS = {
    PLAIN: _Form(
        re.compile(rf"(?:\{{bcrypt}}|\{{crypt}}|\{{CRYPT}}|bcrypt\$)?\$2[aby]\${_TWO_DIGITS}{_SALT}{_DIGEST}?"),
        "$2b${:02}$", "", lambda password, _: password,
    ),
    "django_bcrypt_sha256": _Form(
        re.compile(rf"bcrypt_sha256\$\$2[aby]\${_TWO_DIGITS}{_SALT}{_DIGEST}?"),
        "bcrypt_sha256$$2b${:02}$", "", _hex,
    ),
    "passlib_bcrypt_sha256": _Form(
        re.compile(rf"\$bcrypt-sha256\$v=2,t=2b,r=([0-9]{{1,2}})\${_CLEAN_SALT}(?:\${_DIGEST})?"),
        "$bcrypt-sha256$v=2,t=2b,r={}$", "$", _keyed,
    ),
    "passlib_bcrypt_sha256_v1": _Form(
        re.compile(rf"\$bcrypt-sha256\$2[ab],([0-9]{{1,2}})\${_CLEAN_SALT}(?:\${_DIGEST})?"),
        "$bcrypt-sha256$2b,{}$", "$", _base64,
    ),
}  # fmt: skip

schemes = tuple(_FORMS)
prefixes = (
    *(outer + version for outer in _OUTER for version in ("$2a$", "$2b$", "$2y$")),
    *("bcrypt_sha256$", "$bcrypt-sha256$"),
)


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    for scheme, form in _FORMS.items():
        if form.pattern.fullmatch(text):
            setting, _, _, digest = _parse(scheme, text)
            if digest:
                return scheme, setting + form.between + digest
    raise parts.unreadable()


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password; the setting alone if it has a NUL."""
    form = _FORMS[scheme]
    canonical, cost, salt, _ = _parse(scheme, setting)
    key = form.key(password, salt)
    made = bcrypt.hashpw(parts.stand_in(key, TAKEN), f"$2b${cost:02}${salt}".encode()).decode()
    return canonical if b"\0" in key else canonical + form.between + made[-31:]


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return _parse(scheme, encoded)[0]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: bcrypt takes four."""
    _parse(scheme, setting)
    return SMALL


def _parse(scheme: str, text: str) -> tuple[str, int, str, str]:
    """Return setting, cost, salt and digest, which is "" where there is none."""
    form = _FORMS[scheme]
    digits, salt, digest = parts.fields(form.pattern, text).groups(default="")
    cost = parts.number(digits, LEAST_COST, LAST_COST, MOST_COST)
    salt = salt[:-1] + _ALPHABET[_ALPHABET.index(salt[-1]) & 0b110000]  # what bcrypt itself leaves out
    return form.head.format(cost) + salt, cost, salt, digest
