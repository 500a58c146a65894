"""Keyed hashes over columns: HMAC-SHA-256 under keys derived with HKDF (RFC 2104, RFC 5869)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.openkeys import OpenKey

DIGEST_BYTES = 16  # 128 bits kept (PCI DSS v4.0.1, 3.5.1.1 asks for a keyed hash; design, decision 5)


def expand(key: bytes, info: bytes) -> bytes:
    """Return 32 bytes derived from a uniformly random key (HKDF-Expand, RFC 5869 section 2.3)."""
    return HKDFExpand(SHA256(), 32, info).derive(key)


def keyed(key: OpenKey, info: bytes, inputs: Sequence[bytes]) -> list[bytes]:
    """Return the first 16 bytes of HMAC-SHA-256 of each input, under the key derived from `key` for `info`."""
    state = key.derived(info, lambda secret: HMAC(expand(secret, info), SHA256()))
    digests: list[bytes] = []
    for text in inputs:
        mac = state.copy()
        mac.update(text)
        digests.append(mac.finalize()[:DIGEST_BYTES])
    return digests
