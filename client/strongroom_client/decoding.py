"""Decoders of replies, each made once and by one thread at a time.

msgspec 0.22 lets a thread see a type that another one is still making, and the process dies of it (a null pointer in
its C code): two threads that each decode a Struct for the first time are enough.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}
_making = Lock()


def decoder(into: type[T]) -> msgspec.json.Decoder[T]:
    """Return the decoder of a type."""
    made = _DECODERS.get(into)
    if made is None:
        with _making:
            made = _DECODERS.setdefault(into, msgspec.json.Decoder(into))
    return made
