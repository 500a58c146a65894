"""Sealed values: each bound to its place, no two under one nonce, nothing opens that was touched."""

from __future__ import annotations

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.openkeys import OpenKey
from keys.secret import Secret
from vault import cipher
from vault.errors import UnreadableValue
from vault.keyed import expand

TENANT, FIELD, SLOT = 7, "bank_card", "value"
TOKENS = [b"\x01" + bytes([n]) * 16 for n in range(5)]
VALUES = [b"", b"4111111111111111", "张三".encode(), b"x" * 65_536, b"\0"]


@pytest.fixture
def key() -> OpenKey:
    return OpenKey(2**63 - 1, Secret.random())


def opened(key: OpenKey, blobs: list[bytes], **moved: Any) -> list[bytes]:
    place = {
        "tenant": TENANT,
        "slot": SLOT,
        "fields": [FIELD] * len(blobs),
        "tokens": TOKENS[: len(blobs)],
        **moved,
    }
    return cipher.open_column(
        place["tenant"],
        place["slot"],
        place["fields"],
        place["tokens"],
        blobs,
        lambda _: key,
        moved.get("people", {}),
    )


def test_a_column_comes_back(key: OpenKey) -> None:
    sealed = cipher.seal(key, TENANT, FIELD, SLOT, TOKENS, VALUES)
    assert [len(blob) - len(value) for blob, value in zip(sealed, VALUES, strict=True)] == [
        cipher.OVERHEAD
    ] * 5
    assert {cipher.key_id_of(blob) for blob in sealed} == {key.id}
    assert opened(key, sealed) == VALUES


@pytest.mark.parametrize(
    "moved",
    [
        {"tenant": 8},
        {"slot": "metadata"},
        {"fields": ["phone"]},
        {"tokens": [TOKENS[1]]},
    ],
    ids=["tenant", "slot", "field", "token"],
)
def test_a_record_moved_elsewhere_does_not_open(key: OpenKey, moved: dict[str, Any]) -> None:
    sealed = cipher.seal(key, TENANT, FIELD, SLOT, TOKENS[:1], VALUES[1:2])
    personal = [cipher.seal_for_person(bytes(32), 9, TENANT, FIELD, SLOT, TOKENS[0], b"v")]
    assert opened(key, personal, people={9: bytes(32)}) == [b"v"]
    for blobs in (sealed, personal):
        with pytest.raises(UnreadableValue):
            opened(key, blobs, **moved, people={9: bytes(32)})


def test_every_flipped_bit_and_every_length_is_noticed(key: OpenKey) -> None:
    (sealed,) = cipher.seal(key, TENANT, FIELD, SLOT, TOKENS[:1], [b"4111"])
    damaged = [
        bytes([*sealed[:at], sealed[at] ^ 1 << bit, *sealed[at + 1 :]])
        for at in range(len(sealed))
        for bit in range(8)
    ]
    for blob in [*damaged, *(sealed[:size] for size in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(UnreadableValue):
            opened(key, [blob])


def test_no_two_records_share_a_nonce(key: OpenKey) -> None:
    tokens = [os.urandom(17) for _ in range(20_000)]
    sealed = cipher.seal(key, TENANT, FIELD, SLOT, tokens, [b"same"] * 20_000)
    personal = [
        cipher.seal_for_person(bytes(32), 9, TENANT, FIELD, SLOT, TOKENS[0], b"same") for _ in range(1_000)
    ]
    for column in (sealed, personal):
        assert len({blob[9:21] for blob in column}) == len(column)


def test_each_value_of_a_person_has_a_key_of_its_own(key: OpenKey) -> None:
    """Published composition: HKDF-Expand of the person key over the context, then AES-256-GCM under it."""
    from vault.context import binding, pack

    blob = cipher.seal_for_person(b"k" * 32, 9, TENANT, FIELD, SLOT, TOKENS[0], b"v")
    contexts = [binding(b"\x02", TENANT, FIELD, SLOT, 9) + pack(token) for token in TOKENS]
    keys = {expand(b"k" * 32, context) for context in contexts}
    assert len(keys) == len(TOKENS)
    assert AESGCM(expand(b"k" * 32, contexts[0])).decrypt(blob[9:21], blob[21:], contexts[0]) == b"v"


def test_an_erased_person_cannot_be_opened(key: OpenKey) -> None:
    blob = cipher.seal_for_person(b"k" * 32, 9, TENANT, FIELD, SLOT, TOKENS[0], b"v")
    with pytest.raises(UnreadableValue):
        opened(key, [blob], people={})
