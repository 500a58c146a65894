"""The canonical bytes of one audit record, and back: the leaf that a Merkle tree will hash.

Format byte 0x01, then the parts in the order of `Record`, each behind its length (4 bytes big-endian): numbers as
8 bytes big-endian, text in UTF-8, the tokens' keyed digests packed, 16 bytes each. One record has one encoding.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from vault.context import number, pack
from vault.keyed import DIGEST_BYTES

FORMAT = b"\x01"


@dataclass(frozen=True, slots=True)
class Record:
    """Who did what to what, when, why and with which result.

    Attributes:
        id: 16 bytes: microseconds since 1970 and 8 random bytes.
        at: microseconds since 1970 (UTC).
        actor: the API key's public id, or the local command.
        field: the field type, empty where many or none.
        purpose, view: of a reveal, empty otherwise.
        result: "ok", or the stable code of the refusal of the whole operation.
        count, refused: items carried out and items refused.
        key: the audit keyset version of `tokens`.
        tokens: keyed digests of the tokens, in the order of the request, packed.
    """

    id: bytes
    at: int
    tenant: int
    actor: str
    request_id: str
    operation: str
    field: str
    purpose: str
    view: str
    result: str
    count: int
    refused: int
    key: int
    tokens: bytes


def encode(record: Record) -> bytes:
    """Return the record's one canonical encoding."""
    return FORMAT + pack(*[_part(getattr(record, name)) for name in Record.__slots__])


def decode(leaf: bytes) -> Record:
    """Return the record; raise ValueError if the bytes are not the canonical encoding of one."""
    parts, at = [], 1
    while at < len(leaf):
        size = int.from_bytes(leaf[at : at + 4], "big")
        parts.append(leaf[at + 4 : at + 4 + size])
        at += 4 + size
    kinds = [field.type for field in fields(Record)]
    if leaf[:1] != FORMAT or len(parts) != len(kinds):
        raise ValueError("not an audit record of a known format")
    record = Record(*[_value(str(kind), part) for kind, part in zip(kinds, parts, strict=True)])  # type: ignore[arg-type]
    if encode(record) != leaf or len(record.tokens) % DIGEST_BYTES:
        raise ValueError("not the canonical encoding of an audit record")
    return record


def _part(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return number(value) if isinstance(value, int) else str(value).encode()


def _value(kind: str, part: bytes) -> object:
    if kind == "bytes":
        return part
    return int.from_bytes(part, "big") if kind == "int" else part.decode()
