"""AES-256-GCM key wrapping with a context, as local roots and person keys use it (SP 800-38D).

Wrapped form, 61 bytes for a 32-byte key: format 0x01 (1), nonce (12), ciphertext (32), tag (16).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import UnwrapError
from keys.secret import Secret

FORMAT = b"\x01"


def wrap(aead: AESGCM, key: bytes, context: bytes) -> bytes:
    """Return `key` wrapped under `aead` and bound to `context`."""
    nonce = os.urandom(12)
    return FORMAT + nonce + aead.encrypt(nonce, key, context)


def unwrap(aead: AESGCM, wrapped: bytes, context: bytes) -> bytes:
    """Return the key; raise UnwrapError if it was altered, moved, or wrapped by another key."""
    if wrapped[:1] != FORMAT or len(wrapped) < 29:
        raise UnwrapError("a wrapped key has a format this version does not know")
    try:
        return aead.decrypt(wrapped[1:13], wrapped[13:], context)
    except InvalidTag:
        raise UnwrapError("a wrapped key does not open under this root and context") from None


class AeadRoot:
    """A root key held by this process: wraps columns of keys, each bound to its context."""

    def __init__(self, name: str, key: Secret) -> None:
        self.name = name
        self._aead = AESGCM(key.expose())

    def wrap(self, keys: Sequence[Secret], contexts: Sequence[bytes]) -> list[bytes]:
        """Return each key wrapped under its context."""
        pairs = zip(keys, contexts, strict=True)
        return [wrap(self._aead, key.expose(), context) for key, context in pairs]

    def unwrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        """Return the keys; raise UnwrapError if any does not open under its context."""
        pairs = zip(wrapped, contexts, strict=True)
        return [Secret(unwrap(self._aead, blob, context)) for blob, context in pairs]

    def check(self) -> None:
        """Wrap a throw-away key and open it again; raise UnwrapError if that fails."""
        self.unwrap(self.wrap([Secret.random()], [b"check"]), [b"check"])

    def close(self) -> None:
        """Do nothing: the key goes with the object."""
