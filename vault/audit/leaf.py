"""The canonical bytes of one audit record, and back: the leaf that the Merkle tree hashes.

Format byte 0x02, then the parts in the order of `Record`, each behind its length (4 bytes big-endian): numbers as 8
bytes big-endian, text in UTF-8, columns packed. One record has one encoding. Format 0x01 is of versions before the
tree; it has fewer parts and is read for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from vault.context import number, pack
from vault.keyed import DIGEST_BYTES

FORMAT = b"\x02"
FIRST_FORMAT = b"\x01"


@dataclass(frozen=True, slots=True)
class Record:
    """Who did what to what, when, from where, why and with which result.

    Attributes:
        id: 16 bytes: microseconds since 1970 and 8 random bytes.
        at: microseconds since 1970 (UTC).
        actor: the API key's public id, another caller's name, or the local command.
        field: the field types touched, separated by spaces; empty for none.
        purpose, view: of a reveal, empty otherwise.
        result: "ok", or the stable code of the refusal of the whole operation.
        count, refused: items carried out and items refused.
        key: the audit keyset version of `tokens`.
        tokens: keyed digests of the tokens, in the order of the request, 16 bytes each.
        origin: the address it was asked from; empty where that is not known.
        reference: `case:` or `consent:` and what the request named; both separated by a space; empty for none.
        target: what an administrative act was on: the id of a key, job or proposal, a keyset; empty for none.
        policy: the version of the policy that let it through or refused it; 0 for the built-in one.
        persons: digests of the persons whose tokens they are, each once, 16 bytes each (see `index.subject_digests`).
        whose: for each token the number of its person in `persons`, from 1, or 0 for nobody; 2 bytes big-endian each.
        which: for each token the number of its field in `field`, from 0; 1 byte each.
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
    origin: str = ""
    reference: str = ""
    target: str = ""
    policy: int = 0
    persons: bytes = b""
    whose: bytes = b""
    which: bytes = b""


_KINDS = tuple(str(field.type) for field in fields(Record))
_NAMES = tuple(field.name for field in fields(Record))
_FIRST = _NAMES.index("origin")  # how many parts format 0x01 has


def encode(record: Record, form: bytes = FORMAT) -> bytes:
    """Return the record's one canonical encoding in a format."""
    names = _NAMES if form == FORMAT else _NAMES[:_FIRST]
    return form + pack(*[_part(getattr(record, name)) for name in names])


def decode(leaf: bytes) -> Record:
    """Return the record; raise ValueError if the bytes are not the canonical encoding of one."""
    parts, at = [], 1
    while at < len(leaf):
        size = int.from_bytes(leaf[at : at + 4], "big")
        parts.append(leaf[at + 4 : at + 4 + size])
        at += 4 + size
    form = leaf[:1]
    if (form, len(parts)) not in {(FORMAT, len(_KINDS)), (FIRST_FORMAT, _FIRST)}:
        raise ValueError("not an audit record of a known format")
    record = Record(*[_value(kind, part) for kind, part in zip(_KINDS, parts, strict=False)])  # type: ignore[arg-type]
    if encode(record, form) != leaf or not _fits(record, form):
        raise ValueError("not the canonical encoding of an audit record")
    return record


def digests(record: Record) -> list[bytes]:
    """Return the keyed digests of a record's tokens, in order."""
    return _cut(record.tokens)


def persons(record: Record) -> list[bytes]:
    """Return the digests of the persons whose tokens a record names, each once."""
    return _cut(record.persons)


def of_person(record: Record, person: bytes) -> list[int]:
    """Return which of a record's tokens, counted from 0, are this person's."""
    try:
        place = persons(record).index(person) + 1
    except ValueError:
        return []
    numbers = record.whose
    return [
        at for at in range(len(numbers) // 2) if int.from_bytes(numbers[2 * at : 2 * at + 2], "big") == place
    ]


def _cut(packed: bytes) -> list[bytes]:
    return [packed[at : at + DIGEST_BYTES] for at in range(0, len(packed), DIGEST_BYTES)]


def _fits(record: Record, form: bytes) -> bool:
    """Whether the packed columns belong together."""
    tokens, rest = divmod(len(record.tokens), DIGEST_BYTES)
    if rest or len(record.persons) % DIGEST_BYTES:
        return False
    return form == FIRST_FORMAT or (len(record.whose) in {0, 2 * tokens} and len(record.which) in {0, tokens})


def _part(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    return number(value) if isinstance(value, int) else str(value).encode()


def _value(kind: str, part: bytes) -> object:
    if kind == "bytes":
        return part
    return int.from_bytes(part, "big") if kind == "int" else part.decode()
