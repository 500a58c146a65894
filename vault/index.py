"""The keyed blind index: equal values of a field and scope have equal digests, which say nothing without the key."""

from __future__ import annotations

from collections.abc import Sequence

from keys.openkeys import OpenKey
from vault.context import derivation
from vault.keyed import keyed

BUCKETS = 4096


def digests(key: OpenKey, tenant: int, field: str, scope: str, values: Sequence[str]) -> list[bytes]:
    """Return 16 bytes for each canonical value: HMAC-SHA-256 of the entire value under HKDF(index version)."""
    info = derivation("index", tenant, field, scope)
    return keyed(key, info, [value.encode() for value in values])


def value_buckets(key: OpenKey, tenant: int, field: str, scope: str, values: Sequence[str]) -> list[int]:
    """Return where the index entries of deterministic tokens lie, 0 to 4095: 12 bits under the route key."""
    info = derivation("route value", tenant, field, scope)
    return [bucket_of(digest) for digest in keyed(key, info, [value.encode() for value in values])]


def token_buckets(key: OpenKey, tenant: int, tokens: Sequence[bytes]) -> list[int]:
    """Return where shaped tokens lie, which have no room for their bucket: 12 bits under the route key."""
    return [bucket_of(digest) for digest in keyed(key, derivation("route token", tenant), tokens)]


def subject_digests(key: OpenKey, tenant: int, subjects: Sequence[str]) -> list[bytes]:
    """Return 16 bytes for each subject id, under the route key, since the id itself is kept nowhere."""
    return keyed(key, derivation("subject", tenant), [subject.encode() for subject in subjects])


def fingerprints(key: OpenKey, tenant: int, field: str, values: Sequence[bytes]) -> list[bytes]:
    """Return 16 bytes for each canonical value of a field: alike for equal values, and different in another field."""
    return keyed(key, derivation("fingerprint", tenant, field), values)


def request_digest(key: OpenKey, tenant: int, use: str, content: bytes) -> bytes:
    """Return 16 bytes that stand for an Idempotency-Key or the request that came with it."""
    return keyed(key, derivation(use, tenant), [content])[0]


def bucket_of(digest: bytes) -> int:
    """Return the bucket in the first 12 bits of a digest."""
    return int.from_bytes(digest[:2], "big") >> 4
