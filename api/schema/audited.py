"""What replies on the audit and on alarms hold."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class AuditKey(Struct):
    """A key of a log: `vkey` verifies its signatures (C2SP signed-note), empty if it signed none here.

    `key` is the audit keyset version; `first` and `last` are positions of the records whose token digests are under it.
    """

    vkey: str
    key: str
    first: int | None
    last: int | None


class FormerLog(Struct):
    """The log before, that a restore cut: its last checkpoint outside, and which of its records are lost."""

    checkpoint: str
    lost_from: int
    lost_to: int


class AuditSink(Struct):
    """How a place outside is, or the sealer: "ok" or a code; records of this log before `position` were delivered."""

    name: str
    state: str
    since: datetime
    seen_at: datetime
    position: int | None


class AuditStatus(Struct, kw_only=True):
    """How a log is: `size` and `root` of its tree; `pending` records wait; those before `dropped` were archived.

    `log` 0 if the tenant has none yet.
    """

    log: int
    origin: str
    size: int
    root: str
    opened_at: datetime | None
    closed_at: datetime | None
    sealed_at: datetime | None
    pending: int
    dropped: int
    oldest_at: datetime | None
    keys: list[AuditKey]
    former: FormerLog | None
    sinks: list[AuditSink]
    sealer: AuditSink | None


class AuditCheckpoint(Struct):
    """A signed checkpoint (C2SP tlog-checkpoint), to the byte."""

    checkpoint: str


class AuditCheckpoints(Struct):
    """Signed checkpoints, the smallest first."""

    checkpoints: list[str]


class AuditLeaves(Struct):
    """Records of a log from position `first` on, null where one is missing, and their hashes as the tiles have them."""

    log: int
    first: int
    leaves: list[bytes | None]
    hashes: list[bytes]


class AuditTile(Struct):
    """The hashes of a tile, in order."""

    level: int
    number: int
    hashes: list[bytes]


class AuditRecord(Struct, kw_only=True):
    """Who did what, and where that is on record.

    `caller_name` is what people call the API key; `tokens` and `persons` say how many; `result` "ok" or a code.
    """

    log: int
    position: int
    id: str
    at: datetime
    caller: str
    caller_name: str | None
    operation: str
    fields: list[str]
    tokens: int
    persons: int
    purpose: str
    view: str
    result: str
    count: int
    refused: int
    request_id: str
    origin: str
    reference: str
    target: str
    policy: int


class AuditReach(Struct, kw_only=True):
    """How far the answer goes: to before `sealed_to` of `log`; `pending` records are on record, and in no tree yet.

    Records before `dropped` were archived.
    """

    log: int
    sealed_to: int
    sealed_at: datetime | None
    pending: int
    dropped: int


class AuditRecords(AuditReach, kw_only=True):
    """A page of records, the newest first; `next_cursor` null at the end: a page may have fewer than asked for."""

    records: list[AuditRecord]
    next_cursor: str | None


class PersonEvent(Struct, kw_only=True):
    """One thing that happened to a person's data: `items` of theirs, of the types `fields`."""

    log: int
    position: int
    id: str
    at: datetime
    caller: str
    caller_name: str | None
    operation: str
    fields: list[str]
    items: int
    purpose: str
    view: str
    result: str
    reference: str
    origin: str


class PersonEvents(AuditReach, kw_only=True):
    """A page of what happened to a person's data, the newest first; `next_cursor` null at the end."""

    events: list[PersonEvent]
    next_cursor: str | None


class InclusionProof(Struct, kw_only=True):
    """That `leaf` is record `position` of the `size` in the log: `hashes` (hex) lead to the root in `checkpoint`.

    RFC 6962, section 2.1.1. `vkey` verifies the checkpoint; both are empty if none of that size is kept.
    """

    log: int
    origin: str
    position: int
    size: int
    leaf: bytes
    hashes: list[str]
    checkpoint: str
    vkey: str


class ConsistencyProof(Struct, kw_only=True):
    """That the log of `to_size` records begins with that of `from_size` (RFC 6962, section 2.1.2); `hashes` in hex."""

    log: int
    origin: str
    from_size: int
    to_size: int
    hashes: list[str]


class Alarm(Struct, kw_only=True):
    """What somebody should look at: `text` says what `kind` means, `detail` has names, codes and counts.

    `caller` is empty where none is the cause; `mode` null where it is nobody's alone.
    """

    id: str
    kind: str
    text: str
    detail: dict[str, str | int]
    caller: str
    mode: Literal["live", "test"] | None
    request_id: str
    at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


class Alarms(Struct):
    """Alarms, the newest first; `next_cursor` null on the last page."""

    alarms: list[Alarm]
    next_cursor: str | None
