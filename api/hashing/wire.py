"""Messages over a Unix stream socket between processes of one host and one user; each side makes sure of the other.

A message is the length of its body (4 bytes, big-endian), the version of this format (1 byte) and the body: a
MessagePack map that names its kind.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import cast

import msgspec

from api.decoding import unpacker
from api.hashing.messages import Answer, Ask
from vault.errors import InvalidRequest

VERSION = 1
MOST_BYTES = 32 << 20  # a column of the longest passwords and, beside them, verifiers of two kilobytes
HEAD = struct.Struct(">IB")
_PEER = struct.Struct("3i")  # process, user and group (unix(7), SO_PEERCRED)
_PIECE = 1 << 20


class Broken(Exception):
    """The other side closed the connection, or sent what is no message; nothing more can be said on it."""


def packed(message: Ask | Answer) -> bytes:
    """Return a message's bytes; InvalidRequest if they are more than MOST_BYTES."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MOST_BYTES:
        raise InvalidRequest("too much for one message to the hasher")
    return HEAD.pack(len(body), VERSION) + body


def asked(connection: socket.socket) -> Ask:
    """Return the next request; raise Broken, or OSError if the connection fails or takes too long."""
    return cast("Ask", _received(connection, Ask))


def answered(connection: socket.socket) -> Answer:
    """Return the answer; raises as `asked` does."""
    return cast("Answer", _received(connection, Answer))


def _received(connection: socket.socket, kinds: object) -> object:
    size, version = HEAD.unpack(_exactly(connection, HEAD.size))
    if version != VERSION or size > MOST_BYTES:
        raise Broken
    body = _exactly(connection, size)
    try:
        return unpacker(kinds).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Broken from None  # the library's own words may hold what was sent


def _exactly(connection: socket.socket, size: int) -> bytes:
    """Return the next `size` bytes; memory is taken as they come, not as they are announced."""
    pieces: list[bytes] = []
    while size:
        piece = connection.recv(min(size, _PIECE))
        if not piece:
            raise Broken
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def is_ours(connection: socket.socket) -> bool:
    """Whether the other side runs under this process's user or is root; True where the system cannot tell.

    Who listens counts as well as who asks: a password must not go to a socket that somebody else put there.
    """
    if sys.platform != "linux":
        return True
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, user, _ = _PEER.unpack(found)
    return user in (0, os.geteuid())
