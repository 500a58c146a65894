"""Audit records as syslog messages (RFC 5424): ASCII, one line, longer ones in numbered parts, nothing cut silently.

The structured data element `strongroom@32473` has the readable members; the message is the leaf in base64, of which
each part has a piece. 32473 is the number that IANA set aside for examples (RFC 5612): we have none of our own.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping

from vault.sinks import lines
from vault.sinks.protocol import Batch, Entry, SinkFailed

LONGEST = 8_192  # bytes of a message that receivers should take (RFC 5425, section 4.3.1)
LEAST = 2_048  # that every receiver must take (there too)
_PRIORITY = 13 * 8 + 6  # facility log audit, severity informational (RFC 5424, section 6.2.1)
_PIECE = 256  # bytes of a message that are left for a piece of the leaf at least


def of_record(log: str, entry: Entry, host: str, longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the messages of a record, none longer than `longest` bytes.

    Raises SinkFailed, `sink_too_long`, if its readable members alone leave no room.
    """
    said = lines.members(entry.leaf)
    at, leaf = str(said.pop("at", "-")), b64encode(entry.leaf)
    known: dict[str, str | int] = {"log": log, "position": entry.position, **said}
    widest: dict[str, str | int] = {"part": 1_000_000, "parts": 1_000_000}
    room = longest - len(_message("record", at, host, known | widest, b""))
    if room < _PIECE:
        raise SinkFailed("sink_too_long", "a record is longer than the receiver takes")
    pieces = [leaf[start : start + room] for start in range(0, len(leaf), room)]
    for number, piece in enumerate(pieces, 1):
        numbers: dict[str, str | int] = {"part": number, "parts": len(pieces)} if len(pieces) > 1 else {}
        yield _message("record", at, host, known | numbers, piece)


def of_checkpoint(batch: Batch, host: str) -> bytes:
    """Return the message of a signed checkpoint, whose note is in base64 for its line breaks."""
    known = {"log": batch.origin, "checkpoint": batch.size}
    return _message("checkpoint", "-", host, known, b64encode(batch.note.encode()))


def framed(message: bytes) -> bytes:
    """Return a message as streams carry it: behind its length (RFC 6587, section 3.4.1)."""
    return b"%d %s" % (len(message), message)


def _message(kind: str, at: str, host: str, members: Mapping[str, object], text: bytes) -> bytes:
    data = " ".join(f'{name}="{_escaped(str(value))}"' for name, value in members.items() if value != "")
    head = f"<{_PRIORITY}>1 {at} {host} strongroom - {kind} [strongroom@32473 {data}] "
    return head.encode("ascii") + text


def _escaped(value: str) -> str:
    """Return a parameter's value (section 6.3.3), with \\u202e and the like for what is not printable ASCII."""
    plain = value.encode("unicode_escape").decode("ascii")
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
