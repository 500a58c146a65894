"""Which leaves of a column are no canonical record of a tenant, found without decoding each.

A leaf is a list of parts behind their lengths. Leaves of one length mostly have the same lengths in the same places, so
of each such shape the format, the lengths, the tenant and that texts are ASCII are compared in one go: as bits of one
large number, the rest masked out. What no known shape fits is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from vault.audit.leaf import Record, decode

_LONG = 2_048  # bytes; to decode a longer leaf takes little against its hash
_SHAPES = 8  # kept for one length of a leaf
_EVERY_BIT, _TOP_BIT, _NONE = 0xFF, 0x80, 0  # compared of a byte; the top bit tells ASCII
_BITS = [
    _TOP_BIT if part.type == "str" else _EVERY_BIT if part.name == "tenant" else _NONE
    for part in fields(Record)
]


class Canon:
    """The shapes seen so far of one tenant's leaves."""

    def __init__(self, tenant: int) -> None:
        self._tenant = tenant
        self._shapes: dict[int, list[tuple[int, int]]] = {}  # by length: the mask, and what it leaves

    def odd(self, leaves: Sequence[bytes]) -> list[int]:
        """Return the places of leaves that are no canonical record of the tenant."""
        shapes, number, found = self._shapes, int.from_bytes, []
        for place, leaf in enumerate(leaves):
            for mask, fixed in shapes.get(len(leaf), ()):
                if number(leaf, "big") & mask == fixed:
                    break
            else:
                if not self._is_record(leaf):
                    found.append(place)
        return found

    def _is_record(self, leaf: bytes) -> bool:
        """Decode a leaf, and keep its shape if it is a record."""
        try:
            record = decode(leaf)
        except ValueError:
            return False
        if record.tenant != self._tenant:
            return False
        if len(leaf) < _LONG:
            known = self._shapes.setdefault(len(leaf), [])
            known.insert(0, _shape(leaf))
            del known[_SHAPES:]
        return True


def _shape(leaf: bytes) -> tuple[int, int]:
    """Return which bits are the same in all records with this one's lengths, and what they are.

    Of a text that is not ASCII here a top bit is wrong, so that the shape fits no leaf, this one included.
    """
    mask, at = bytearray([_EVERY_BIT]), 1
    for bits in _BITS:
        if at == len(leaf):
            break
        size = int.from_bytes(leaf[at : at + 4], "big")
        mask += bytes([_EVERY_BIT] * 4) + bytes([bits]) * size
        at += 4 + size
    pattern = int.from_bytes(mask, "big")
    ascii_only = bytes(
        byte & ~_TOP_BIT if bits == _TOP_BIT else byte for byte, bits in zip(leaf, mask, strict=True)
    )
    return pattern, int.from_bytes(ascii_only, "big") & pattern
