"""Rows in a chunk: a MessagePack array of blocks, each of one table.

A block is an array of three: the table's name, the names of its columns, and the rows, each an array of as many values:
nil, integers (booleans too, 0 or 1), text and bytes. A table's rows may be spread over many blocks and chunks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from vault.store.streams import Block, Row


class NotRows(ValueError):
    """The bytes are no blocks."""


def encode(blocks: Sequence[Block]) -> bytes:
    """Return the bytes of blocks."""
    return msgspec.msgpack.encode([(block.table, block.columns, block.rows) for block in blocks])


def decode(data: bytes) -> list[Block]:
    """Return the blocks; NotRows if the bytes are none. Rows come as tuples."""
    try:
        found = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise NotRows("a chunk's rows cannot be read") from None
    for _, columns, rows in found:
        if any(len(row) != len(columns) for row in rows):
            raise NotRows("a row has another number of values than its block has columns")
    return [Block(*one) for one in found]


_decoder = msgspec.msgpack.Decoder(list[tuple[str, list[str], list[tuple[Any, ...]]]])


class Digester:
    """HMAC-SHA-256 over all rows of one table in the order of its primary key, each as the MessagePack array it is.

    However the rows are spread over blocks, the digest is the same; so a restored table can be held against it.
    """

    def __init__(self, key: bytes) -> None:
        self._state = HMAC(key, SHA256())

    def add(self, rows: Sequence[Row]) -> None:
        """Take the next rows."""
        packed = msgspec.msgpack.encode(rows)
        self._state.update(packed[_header(len(rows)) :])

    def hex(self) -> str:
        """Return the digest; nothing is added after."""
        return self._state.finalize().hex()


def _header(count: int) -> int:
    return 1 if count < 16 else 3 if count < 65_536 else 5
