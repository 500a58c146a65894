"""X25519 identities of the age format: 32 secret bytes, their text, and the recipient that others seal to.

The texts are Bech32 (BIP 173) as C2SP age, "The X25519 recipient type", has them: `AGE-SECRET-KEY-1…` and `age1…`.
"""

from __future__ import annotations

from bech32 import bech32_decode, bech32_encode, convertbits
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from keys.errors import KeyFileError
from keys.secret import Secret

_SECRET, _PUBLIC = "age-secret-key-", "age"
BYTES = 32


def recipient(secret: Secret) -> str:
    """Return the recipient of an identity: `age1…`, 62 characters."""
    public = X25519PrivateKey.from_private_bytes(secret.expose()).public_key().public_bytes_raw()
    return _encode(_PUBLIC, public)


def text(secret: Secret) -> Secret:
    """Return an identity's text, `AGE-SECRET-KEY-1…`, as ASCII bytes."""
    return Secret(_encode(_SECRET, secret.expose()).upper().encode())


def read(written: bytes) -> Secret:
    """Return the 32 bytes of an identity's text; KeyFileError if it is none. Lines of comments (#) are passed over."""
    lines = [line.strip() for line in written.decode("ascii", "replace").splitlines()]
    found = [_decode(_SECRET, line) for line in lines if line and not line.startswith("#")]
    if len(found) != 1 or found[0] is None:
        raise KeyFileError("the file holds no age identity, or more than one")
    return Secret(found[0])


def is_recipient(written: str) -> bool:
    """Whether this is an X25519 recipient."""
    return _decode(_PUBLIC, written) is not None


def _encode(prefix: str, data: bytes) -> str:
    return str(bech32_encode(prefix, convertbits(data, 8, 5) or ()))


def _decode(prefix: str, written: str) -> bytes | None:
    found, words = bech32_decode(written)
    if found != prefix or words is None:
        return None
    data = convertbits(words, 5, 8, False)
    return bytes(data) if data is not None and len(data) == BYTES else None
