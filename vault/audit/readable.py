"""A record as a person or a SIEM reads it: its parts by name, numbers and texts as they are, bytes in hex."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

from vault.audit.leaf import Record, decode, digests, persons

MEMBERS = tuple(part.name for part in fields(Record))
_START = datetime(1970, 1, 1, tzinfo=UTC)


def members(leaf: bytes) -> dict[str, object] | None:
    """Return a record's parts by name, in the order of `MEMBERS`; None if the leaf is no record."""
    try:
        record = decode(leaf)
    except ValueError:
        return None
    found: dict[str, object] = {name: getattr(record, name) for name in MEMBERS}
    return found | {
        "id": record.id.hex(),
        "at": time_text(record.at),
        "tenant": f"{record.tenant:016x}",
        "key": f"{record.key:016x}",
        "tokens": [digest.hex() for digest in digests(record)],
        "persons": [digest.hex() for digest in persons(record)],
        "whose": [int.from_bytes(record.whose[at : at + 2], "big") for at in range(0, len(record.whose), 2)],
        "which": list(record.which),
    }


def time_text(at: int) -> str:
    """Return microseconds since 1970 as text (RFC 3339, UTC); a number that no calendar has, as its digits."""
    try:
        return (_START + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return str(at)
