"""The mark of a decoy inside its seal: the first bit of its value is the other one, so its length stays what it is.

A value is text in UTF-8 (RFC 3629), whose first byte is below 0x80 exactly if no continuation byte (0x80 to 0xBF)
follows it. With its first bit turned over, a text never begins so: it is no UTF-8, and turned back it is the value. A
byte in front would do as well, but a resident's number that is sealed in one byte more than all others tells itself.

>>> turned("18位".encode()), is_turned(turned(b"1")), is_turned("位".encode()), is_turned(turned("位".encode()))
(b'\\xb18\\xe4\\xbd\\x8d', True, False, True)
"""

from __future__ import annotations


def turned(value: bytes) -> bytes:
    """Return a value with the mark, or without it if it has it; at least one byte."""
    return bytes([value[0] ^ 0x80]) + value[1:]


def is_turned(value: bytes) -> bool:
    """Tell whether a value has the mark."""
    head = value[:2]
    if head.isascii():
        return False
    followed = len(head) == 2 and 0x80 <= head[1] < 0xC0
    return (head[0] >= 0x80) != followed
