"""Seal and open columns of values with AES-256-GCM (SP 800-38D), each bound to its place.

A sealed value: format (1 byte), key id (8), nonce (12), ciphertext, tag (16): plaintext + 37 bytes. Format 1 is sealed
under a seal-keyset version itself. Format 2 belongs to a person: each value has a key of its own, derived from the
person key, its token and slot, so a person key has no message count to keep.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import UnknownKey
from keys.openkeys import OpenKey
from vault.context import binding, pack
from vault.errors import UnreadableValue
from vault.keyed import expand

UNDER_KEYSET, UNDER_PERSON = b"\x01", b"\x02"
HEADER = 9  # format and key id
OVERHEAD = 37


def aead(key: OpenKey) -> AESGCM:
    """Return the cipher of a seal-keyset version, made once while the key is in memory."""
    return key.derived("aead", AESGCM)


def seal(
    key: OpenKey, tenant: int, field: str, slot: str, tokens: Sequence[bytes], plaintexts: Sequence[bytes]
) -> list[bytes]:
    """Seal a column under a seal-keyset version; the caller has counted the messages (`Keyring.spend`).

    Args:
        key: the seal keyset's primary.
        tokens: each value's stored token, authenticated, as long as `plaintexts`.
        plaintexts: 0 to 65,536 bytes each.
    Returns:
        The sealed values, in order, each plaintext + 37 bytes.
    """
    bound = binding(UNDER_KEYSET, tenant, field, slot, key.id)
    head = UNDER_KEYSET + key.id.to_bytes(8, "big")
    encrypt = aead(key).encrypt
    noise = os.urandom(12 * len(tokens))
    sealed = []
    for at, (token, plaintext) in enumerate(zip(tokens, plaintexts, strict=True)):
        nonce = noise[12 * at : 12 * at + 12]
        sealed.append(head + nonce + encrypt(nonce, plaintext, bound + len(token).to_bytes(4, "big") + token))
    return sealed


def seal_for_person(
    person_key: bytes, key_id: int, tenant: int, field: str, slot: str, token: bytes, plaintext: bytes
) -> bytes:
    """Seal one value of a person, under a key derived from the person key for this token and slot."""
    context = binding(UNDER_PERSON, tenant, field, slot, key_id) + pack(token)
    nonce = os.urandom(12)
    cipher = AESGCM(expand(person_key, context))
    return UNDER_PERSON + key_id.to_bytes(8, "big") + nonce + cipher.encrypt(nonce, plaintext, context)


def key_id_of(sealed: bytes) -> int:
    """Return the id of the key that a sealed value names."""
    return int.from_bytes(sealed[1:HEADER], "big")


def is_personal(sealed: bytes) -> bool:
    """Whether the value is sealed under a person key."""
    return sealed[:1] == UNDER_PERSON


def open_column(
    tenant: int,
    slot: str,
    fields: Sequence[str],
    tokens: Sequence[bytes],
    sealed: Sequence[bytes],
    keyset: Callable[[int], OpenKey],
    people: Mapping[int, bytes],
) -> list[bytes]:
    """Open values of any fields and keys.

    Args:
        keyset: gives the seal-keyset version of an id, or raises UnknownKey.
        people: plain person keys by id.
    Returns:
        The plaintexts, in order.
    Raises:
        UnreadableValue: one was altered, moved to another tenant, field, token or slot, or its key is gone.
    """
    shared: dict[tuple[bytes, str], tuple[bytes, AESGCM | None]] = {}
    opened = []
    try:
        for field, token, blob in zip(fields, tokens, sealed, strict=True):
            head = blob[:HEADER]
            found = shared.get((head, field))
            if found is None:
                key_id = key_id_of(blob)
                bound = binding(head[:1], tenant, field, slot, key_id)
                cipher = aead(keyset(key_id)) if head[:1] == UNDER_KEYSET else None
                found = shared[head, field] = (bound, cipher)
            context = found[0] + len(token).to_bytes(4, "big") + token
            cipher = found[1]
            if cipher is None:
                if head[:1] != UNDER_PERSON:
                    raise UnreadableValue("a sealed value has a format this version does not know")
                cipher = AESGCM(expand(people[key_id_of(blob)], context))
            opened.append(cipher.decrypt(blob[HEADER : HEADER + 12], blob[HEADER + 12 :], context))
    except (InvalidTag, UnknownKey, KeyError, ValueError):
        raise UnreadableValue("a sealed value does not open: altered, moved, or its key is gone") from None
    return opened
