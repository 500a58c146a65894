"""Decoders of bodies, queries and messages, each made once and by one thread at a time.

msgspec 0.22 lets a thread see a type that another one is still making, and the process dies of it (a null pointer in
its C code): the first two requests of a worker at once were enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}
_UNPACKERS: dict[object, msgspec.msgpack.Decoder[Any]] = {}
_making = Lock()


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a Struct."""
    made = _DECODERS.get(kind)
    if made is None:
        with _making:
            made = _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))
    return made


def unpacker(kind: object) -> msgspec.msgpack.Decoder[Any]:
    """Return the MessagePack decoder of a Struct, or of one of several that their tags tell apart."""
    made = _UNPACKERS.get(kind)
    if made is None:
        with _making:
            made = _UNPACKERS.setdefault(kind, msgspec.msgpack.Decoder(kind))
    return made


def convert(given: Mapping[str, Any], kind: type[T], *, strict: bool = True) -> T:
    """Return members, as text where not `strict`, as a Struct; raise msgspec.ValidationError if they are not one."""
    decoder(kind)  # makes the type
    return msgspec.convert(given, kind, strict=strict)
