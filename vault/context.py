"""What a ciphertext or a keyed hash is bound to, as bytes: every part length-prefixed, so no two contexts meet."""

from __future__ import annotations

from functools import lru_cache

SUITE_AES_GCM = b"AES-256-GCM/HKDF-SHA-256"
_NUMBER = (8).to_bytes(4, "big")  # the length in front of a number


def pack(*parts: bytes) -> bytes:
    """Return the parts, each behind its length as 4 bytes big-endian."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def number(value: int) -> bytes:
    """Return a tenant or key id as 8 bytes big-endian."""
    return value.to_bytes(8, "big")


def binding(form: bytes, tenant: int, field: str, slot: str, key_id: int) -> bytes:
    """Return what a column of sealed values shares; a value's own context adds its token, packed.

    Args:
        form: the format byte of the sealed value.
        tenant, key_id: 0 to 2**63 - 1.
        field: the field type's name.
        slot: what of the row is sealed: "value" or "metadata".
    """
    return _shared(form, tenant, field, slot) + _NUMBER + number(key_id)


@lru_cache(maxsize=4096)
def _shared(form: bytes, tenant: int, field: str, slot: str) -> bytes:
    """Return the parts before the key id, which differs with every person."""
    return pack(form, SUITE_AES_GCM, number(tenant), field.encode(), slot.encode())


def derivation(use: str, tenant: int, *parts: str) -> bytes:
    """Return the HKDF info of a key derived for one use inside one tenant."""
    return pack(b"strongroom/1", use.encode(), number(tenant), *(part.encode() for part in parts))
