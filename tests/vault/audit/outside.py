"""A verifier that shares no code with the vault: RFC 6962 as it is written, C2SP notes, `cryptography` only."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _k(n: int) -> int:
    """The largest power of two smaller than n (RFC 6962, section 2.1)."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH(D[n]) of section 2.1."""
    n = len(leaves)
    if n == 0:
        return _sha(b"")
    if n == 1:
        return _sha(b"\x00" + leaves[0])
    k = _k(n)
    return _sha(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    n = len(leaves)
    if n == 1:
        return []
    k = _k(n)
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of section 2.1.2; PROOF(m, D[n]) with b true."""
    n = len(leaves)
    if m == n:
        return [] if known else [mth(leaves)]
    k = _k(n)
    if m <= k:
        return [*subproof(m, leaves[:k], known), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def root_from_path(leaf: bytes, m: int, n: int, proof: list[bytes]) -> bytes:
    """The root that PATH leads to, taken apart from its end as section 2.1.1 puts it together."""
    if n == 1:
        assert not proof
        return _sha(b"\x00" + leaf)
    k, other = _k(n), proof[-1]
    assert len(other) == 32
    if m < k:
        return _sha(b"\x01" + root_from_path(leaf, m, k, proof[:-1]) + other)
    return _sha(b"\x01" + other + root_from_path(leaf, m - k, n - k, proof[:-1]))


def roots_from_subproof(
    m: int, n: int, proof: list[bytes], old: bytes, known: bool = True
) -> tuple[bytes, bytes]:
    """The old and the new root that SUBPROOF leads to, taken apart from its end."""
    if m == n:
        assert len(proof) == (0 if known else 1)
        return (old, old) if known else (proof[0], proof[0])
    k, other = _k(n), proof[-1]
    if m <= k:
        before, after = roots_from_subproof(m, k, proof[:-1], old, known)
        return before, _sha(b"\x01" + after + other)
    before, after = roots_from_subproof(m - k, n - k, proof[:-1], old, False)
    return _sha(b"\x01" + other + before), _sha(b"\x01" + other + after)


def includes(leaf: bytes, m: int, n: int, proof: list[bytes], root: bytes) -> bool:
    """Whether the proof shows that the leaf is number m of the n under the root."""
    try:
        return 0 <= m < n and root_from_path(leaf, m, n, proof) == root
    except (AssertionError, IndexError):
        return False


def extends(m: int, n: int, proof: list[bytes], old: bytes, new: bytes) -> bool:
    """Whether the proof shows that the tree of n leaves begins with that of m."""
    try:
        return 0 < m <= n and roots_from_subproof(m, n, proof, old) == (old, new)
    except (AssertionError, IndexError):
        return False


def checkpoint(note: str, vkey: str) -> tuple[str, int, bytes] | None:
    """Origin, size and root of a checkpoint that this key signed; None if it did not."""
    name, shown, packed = vkey.split("+", 2)
    public = base64.b64decode(packed)
    assert public[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[:8] == shown
    body, _, lines = note.rpartition("\n\n")
    for line in lines.splitlines():
        dash, who, signature = line.split(" ")
        blob = base64.b64decode(signature)
        if dash == "\u2014" and who == name and blob[:4].hex() == shown:
            try:
                Ed25519PublicKey.from_public_bytes(public[1:]).verify(blob[4:], f"{body}\n".encode())
            except InvalidSignature:
                return None
            origin, size, root = body.split("\n")[:3]
            return origin, int(size), base64.b64decode(root)
    return None
