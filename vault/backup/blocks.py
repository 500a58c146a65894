"""Rows in a chunk: a MessagePack array of blocks, each of one table.

A block is an array of three: the table's name, the names of its columns, and the rows, each an array of as many values:
nil, integers (booleans too, 0 or 1), text and bytes. A table's rows may be spread over many blocks and chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from vault.store.cells import columns
from vault.store.streams import Block, Row


class NotRows(ValueError):
    """The bytes are no blocks, or not of tables, columns and values that a backup has."""


def encode(blocks: Sequence[Block]) -> bytes:
    """Return the bytes of blocks."""
    return msgspec.msgpack.encode([(block.table, block.columns, block.rows) for block in blocks])


@dataclass(frozen=True, slots=True, repr=False)
class Packed:
    """A block whose rows are bytes already, which is all that digests and chunks take of them.

    Attributes:
        count: how many rows there are.
        head: what is before the rows: the array of three that a block is, up to the head of the rows' array.
        rows: each as the MessagePack array it is, one behind the other.
    """

    table: str
    count: int
    head: bytes
    rows: memoryview


def pack(block: Block) -> Packed:
    """Return a block with its rows as bytes."""
    encoded, count = memoryview(msgspec.msgpack.encode(block.rows)), len(block.rows)
    start = _header(count)
    head = b"\x93" + msgspec.msgpack.encode(block.table) + msgspec.msgpack.encode(block.columns)
    return Packed(block.table, count, head + encoded[:start], encoded[start:])


def joined(parts: Sequence[Packed]) -> bytes:
    """Return the bytes of at most 65,535 blocks: what `encode` makes of them."""
    few = len(parts) < 16  # fixarray or array 16 (MessagePack specification, "array format family")
    head = bytes([0x90 | len(parts)]) if few else b"\xdc" + len(parts).to_bytes(2, "big")
    return b"".join([head, *(piece for part in parts for piece in (part.head, part.rows))])


def decode(data: bytes) -> list[Block]:
    """Return the blocks; NotRows if the bytes are none.

    Rows come as tuples. Columns may be fewer than the table's, which an older version did not have all; those of the
    primary key are there. Every value is of its column's type, and nil only where the column may be null.
    """
    try:
        return [Block(table, names, _rows(table, names, rows)) for table, names, rows in _outer.decode(data)]
    except (msgspec.DecodeError, RecursionError):
        raise NotRows("a chunk's rows cannot be read") from None


def _rows(table: str, names: list[str], packed: msgspec.Raw) -> list[tuple[Any, ...]]:
    with _making:
        decoder = _decoder(table, tuple(names))
    return decoder.decode(packed)


@lru_cache(maxsize=256)
def _decoder(table: str, names: tuple[str, ...]) -> msgspec.msgpack.Decoder[list[tuple[Any, ...]]]:
    """Return what reads rows of these columns: the types are checked while they are read, at no cost of their own."""
    try:
        cells = columns(table)
        types = tuple(_TYPES[cells[name].kind, cells[name].nullable] for name in names)
    except KeyError:
        raise NotRows("a block is of a table or column that no backup has") from None
    if len({*names}) != len(names) or any(cell.key and name not in names for name, cell in cells.items()):
        raise NotRows("a block has a column twice, or lacks one of the primary key")
    return msgspec.msgpack.Decoder(list[tuple[types]])  # type: ignore[valid-type]


_KINDS: dict[str, Any] = {
    "integer": Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    "flag": Annotated[int, msgspec.Meta(ge=0, le=1)],
    "text": str,
    "bytes": bytes,
}
_TYPES: dict[tuple[str, bool], Any] = {
    (name, nullable): kind | None if nullable else kind
    for name, kind in _KINDS.items()
    for nullable in (False, True)
}
_outer = msgspec.msgpack.Decoder(list[tuple[str, list[str], msgspec.Raw]])
_making = Lock()  # decoders are made by one thread at a time


class Digester:
    """HMAC-SHA-256 over all rows of one table in the order of its primary key, each as the MessagePack array it is.

    However the rows are spread over blocks, the digest is the same; so a restored table can be held against it.
    """

    def __init__(self, key: bytes) -> None:
        self._state = HMAC(key, SHA256())

    def add(self, rows: Sequence[Row]) -> None:
        """Take the next rows."""
        self._state.update(memoryview(msgspec.msgpack.encode(rows))[_header(len(rows)) :])

    def take(self, packed: Packed) -> None:
        """Take the next rows, which are bytes already."""
        self._state.update(packed.rows)

    def hex(self) -> str:
        """Return the digest; nothing is added after."""
        return self._state.finalize().hex()


def _header(count: int) -> int:
    return 1 if count < 16 else 3 if count < 65_536 else 5
