"""scrypt (RFC 7914): werkzeug's, Django's, Spring's and libpass's texts.

The canonical text is a PHC string: `$scrypt$ln=14,r=8,p=1,l=64$` salt `$` digest, `ln` the logarithm of N and `l` the
bytes of the digest, both in bare base64.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from vault.passwords.legacy import parts

# N * r * p. A gibibyte is filled with N * r = 2**23, for it is 128 * N * r bytes; p lanes are filled one after the
# other, so that together they may take the time of that, and no more memory: some four seconds of one core.
MOST_WORK = 2**23
MOST_LANES = 1_024  # each begins and ends with work that N * r says nothing of
_LAST = 2**30 - 1  # r * p is less than 2**30 (RFC 7914, section 2)

_CANONICAL = re.compile(
    r"\$scrypt\$ln=([0-9]+),r=([0-9]+),p=([0-9]+)(?:,l=(32|64))?\$([A-Za-z0-9+/]*)(?:\$([A-Za-z0-9+/]+))?"
)
_WERKZEUG = re.compile(r"scrypt:([0-9]+):([0-9]+):([0-9]+)\$([^$]+)\$([0-9a-f]+)")
_DJANGO = re.compile(r"scrypt\$([0-9]+)\$([^$]+)\$([0-9]+)\$([0-9]+)\$([A-Za-z0-9+/=]+)")
_SPRING = re.compile(
    r"\{scrypt(?:@SpringSecurity_v5_8)?\}\$([1-9a-f][0-9a-f]{4,5})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)"
)

schemes = ("scrypt",)
prefixes = ("$scrypt$", "scrypt:", "scrypt$", "{scrypt}", "{scrypt@SpringSecurity_v5_8}")


class _Setting(NamedTuple):
    """N as its logarithm, r, p, bytes of the digest, and the salt."""

    log: int
    r: int
    p: int
    size: int
    salt: bytes

    def __str__(self) -> str:
        return f"$scrypt$ln={self.log},r={self.r},p={self.p},l={self.size}${parts.to_bare(self.salt)}"


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    if found := _WERKZEUG.fullmatch(text):
        n, r, p, salt, digest = found.groups()
        return _written(_settled(_log(n), r, p, 64, salt.encode()), parts.from_hex(digest))
    if found := _DJANGO.fullmatch(text):
        n, salt, r, p, digest = found.groups()
        return _written(_settled(_log(n), r, p, 64, salt.encode()), parts.from_padded(digest))
    if found := _SPRING.fullmatch(text):
        packed = int(found[1], 16)  # SCryptPasswordEncoder: the logarithm of N, then r and p in a byte each
        log, r, p = (str(part) for part in (packed >> 16, packed >> 8 & 0xFF, packed & 0xFF))
        return _written(_settled(log, r, p, 32, parts.from_padded(found[2])), parts.from_padded(found[3]))
    settled, digest = _parse(text)
    return _written(settled, parts.from_bare(digest))


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password, whatever its bytes."""
    settled, _ = _parse(setting)
    log, r, p, size, salt = settled
    most = 1_024 * (_memory(settled) + 1)
    made = hashlib.scrypt(password, salt=salt, n=1 << log, r=r, p=p, maxmem=most, dklen=size)
    return f"{settled}${parts.to_bare(made)}"


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return str(_parse(encoded)[0])


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: 128 * r * (N + p + 2) bytes, rounded up."""
    return _memory(_parse(setting)[0])


def _memory(settled: _Setting) -> int:
    # RFC 7914, sections 5 and 6: V has N blocks of 128 * r bytes and B has p; two more are at work.
    return -(-settled.r * ((1 << settled.log) + settled.p + 2) // 8)


def _parse(text: str) -> tuple[_Setting, str]:
    """Return the setting and the digest, which is "" where there is none; libpass's, which does not say so, has 32."""
    log, r, p, size, salt, digest = parts.fields(_CANONICAL, text).groups(default="")
    return _settled(log, r, p, int(size or 32), parts.from_bare(salt)), digest


def _written(settled: _Setting, digest: bytes) -> tuple[str, str]:
    if len(digest) != settled.size:
        raise parts.unreadable()
    return schemes[0], f"{settled}${parts.to_bare(digest)}"


def _log(n: str) -> str:
    """Return the logarithm of N, which is a power of two above one (RFC 7914, section 2)."""
    value = int(n)
    if n[0] == "0" or value & (value - 1):
        raise parts.unreadable()
    return str(value.bit_length() - 1)


def _settled(log: str, r: str, p: str, size: int, salt: bytes) -> _Setting:
    """Return the setting; its parameters are possible (RFC 7914, section 2) and not too costly."""
    block, lanes = parts.number(r, 1, _LAST, _LAST), parts.number(p, 1, _LAST, MOST_LANES)
    power = parts.number(log, 1, 16 * block - 1, 16 * block - 1)  # N < 2**(128 * r / 8)
    if power >= MOST_WORK.bit_length() or block * lanes << power > MOST_WORK:
        raise parts.too_costly()
    return _Setting(power, block, lanes, size, parts.salted(salt))
