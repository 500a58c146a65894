"""Spring's StandardPasswordEncoder: SHA-256, 1 024 times over salt and password, without a secret.

The canonical text is Spring's: `{sha256}`, salt (8 bytes) and digest (32) in hex.
"""

from __future__ import annotations

import hashlib
import re

from vault.passwords.legacy import parts
from vault.passwords.legacy.family import SMALL

_ROUNDS = 1_024  # StandardPasswordEncoder, DEFAULT_ITERATIONS
_PATTERN = re.compile(r"(\{sha256\}([0-9a-f]{16}))([0-9a-f]{64})?")

schemes = ("spring_sha256",)
prefixes = ("{sha256}",)


def read(text: str) -> tuple[str, str]:
    """Return the scheme and the text."""
    if not parts.fields(_PATTERN, text)[3]:
        raise parts.unreadable()
    return schemes[0], text


def digest(scheme: str, setting: str, password: bytes) -> str:
    """Return the canonical text of the password, whatever its bytes."""
    found = parts.fields(_PATTERN, setting)
    made = bytes.fromhex(found[2]) + password
    for _ in range(_ROUNDS):
        made = hashlib.sha256(made).digest()
    return found[1] + made.hex()


def setting(scheme: str, encoded: str) -> str:
    """Return the canonical text as far as its salt."""
    return parts.fields(_PATTERN, encoded)[1]


def memory(scheme: str, setting: str) -> int:
    """Return kibibytes: next to nothing."""
    parts.fields(_PATTERN, setting)
    return SMALL
