"""PBKDF2-HMAC (RFC 8018, section 5.2) with SHA-1, SHA-256 or SHA-512: Django's, werkzeug's, Spring's, libpass's texts.

One canonical text, a PHC string: `$pbkdf2-sha256$i=29000,l=32$` salt `$` digest, `i` the rounds and `l` the bytes of
the digest, both in bare base64. The schemes are pbkdf2_sha1, pbkdf2_sha256 and pbkdf2_sha512.

Spring's texts do not say their rounds: `{pbkdf2}` and `{pbkdf2@SpringSecurity_v5_8}` are read with the defaults that
those names stand for, and without a secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from vault.passwords.legacy import parts
from vault.passwords.legacy.family import SMALL

MOST_ROUNDS = 10_000_000  # of HMAC; a digest longer than the hash's takes them once for each of its blocks
LAST_ROUNDS = 2**32 - 1  # what a text may say before it is taken for damage

_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
_SPRING_SIZE = 32  # bytes, whatever the hash
# Pbkdf2PasswordEncoder.defaultsForSpringSecurity_v5_5 and …_v5_8: hash, rounds, bytes of salt.
_SPRING = {
    "{pbkdf2}": ("sha1", 185_000, 8),
    "{pbkdf2@SpringSecurity_v5_8}": ("sha256", 310_000, 16),
}

_CANONICAL = re.compile(
    r"\$pbkdf2-(sha1|sha256|sha512)\$i=([0-9]+)(?:,l=(20|32|64))?\$([A-Za-z0-9+/]*)(?:\$([A-Za-z0-9+/]+))?"
)
_DJANGO = re.compile(r"pbkdf2_(sha1|sha256)\$([0-9]+)\$([^$]+)\$([A-Za-z0-9+/=]+)")
_WERKZEUG = re.compile(r"pbkdf2:(sha1|sha256|sha512):([0-9]+)\$([^$]+)\$([0-9a-f]+)")
_PASSLIB = re.compile(r"\$pbkdf2(?:-(sha256|sha512))?\$([0-9]+)\$([./A-Za-z0-9]*)\$([./A-Za-z0-9]+)")

_Spelling = tuple[re.Pattern[str], Callable[[str], bytes], Callable[[str], bytes]]
_SPELLINGS: tuple[_Spelling, ...] = (
    (_DJANGO, str.encode, parts.from_padded),
    (_WERKZEUG, str.encode, parts.from_hex),
    (_PASSLIB, parts.from_adapted, parts.from_adapted),
)

schemes = tuple(f"pbkdf2_{name}" for name in _SIZES)
prefixes = (
    *("pbkdf2_sha1$", "pbkdf2_sha256$", "pbkdf2:sha1:", "pbkdf2:sha256:", "pbkdf2:sha512:"),
    *("$pbkdf2$", "$pbkdf2-sha1$", "$pbkdf2-sha256$", "$pbkdf2-sha512$"),
    *_SPRING,
)


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the canonical text."""
    for prefix, (name, rounds, size) in _SPRING.items():
        if text.startswith(prefix):
            data = parts.from_hex(text.removeprefix(prefix))
            return _written(name, str(rounds), data[:size], data[size:], _SPRING_SIZE)
    for pattern, salt, digest in _SPELLINGS:
        if found := pattern.fullmatch(text):
            name = found[1] or "sha1"
            return _written(name, found[2], salt(found[3]), digest(found[4]), _SIZES[name])
    name, rounds_said, size_said, salt_said, digest_said = parts.fields(_CANONICAL, text).groups(default="")
    size = int(size_said or _SIZES[name])
    return _written(name, rounds_said, parts.from_bare(salt_said), parts.from_bare(digest_said), size)


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password, whatever its bytes."""
    head, name, rounds, size, salt = _parse(scheme, setting)
    return f"{head}${parts.to_bare(hashlib.pbkdf2_hmac(name, password, salt, rounds, size))}"


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return _parse(scheme, encoded)[0]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: next to nothing."""
    _parse(scheme, setting)
    return SMALL


def _written(name: str, rounds: str, salt: bytes, digest: bytes, size: int) -> tuple[str, str]:
    head = _head(name, rounds, size, salt)
    if len(digest) != size:
        raise parts.unreadable()
    return f"pbkdf2_{name}", f"{head}${parts.to_bare(digest)}"


def _parse(scheme: str, text: str) -> tuple[str, str, int, int, bytes]:
    """Return setting, hash, rounds, bytes of the digest, and salt."""
    name, rounds, size, said, _ = parts.fields(_CANONICAL, text).groups(default="")
    if scheme != f"pbkdf2_{name}":
        raise parts.unreadable()
    salt = parts.from_bare(said)
    return _head(name, rounds, int(size or 0), salt), name, int(rounds), int(size), salt


def _head(name: str, rounds: str, size: int, salt: bytes) -> str:
    """Return the setting; the digest is as long as the hash's, or Spring's."""
    if size not in (_SIZES[name], _SPRING_SIZE):
        raise parts.unreadable()
    blocks = -(-size // _SIZES[name])
    parts.number(rounds, 1, LAST_ROUNDS, MOST_ROUNDS // blocks)
    return f"$pbkdf2-{name}$i={rounds},l={size}${parts.to_bare(parts.salted(salt))}"
