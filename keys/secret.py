"""Key bytes that never print, pickle or compare in variable time."""

from __future__ import annotations

import hmac
import secrets
from typing import NoReturn

KEY_BYTES = 32  # every key here: AES-256, HMAC-SHA-256


class Secret:
    """Bytes of a key; `expose` is the one way to read them, so that every reader can be found by name."""

    __slots__ = ("_bytes",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: bytes) -> None:
        self._bytes = bytearray(value)

    @classmethod
    def random(cls) -> Secret:
        """Return a new key of 32 bytes from the operating system's generator (SP 800-133 Rev. 2, section 4)."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def expose(self) -> bytes:
        """Return the key's bytes; raise ValueError once it was wiped."""
        if not self._bytes:
            raise ValueError("the key was wiped")
        return bytes(self._bytes)

    def wipe(self) -> None:
        """Overwrite the bytes with zeros and forget them; copies made by `expose` are not reached."""
        self._bytes[:] = bytes(len(self._bytes))
        self._bytes.clear()

    def __del__(self) -> None:
        self.wipe()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._bytes, other._bytes)

    def __len__(self) -> int:
        return len(self._bytes)

    def __repr__(self) -> str:
        return f"Secret({len(self._bytes)} bytes)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled")
