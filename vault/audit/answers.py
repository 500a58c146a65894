"""What the audit is asked and what it answers: plain data; times in seconds since 1970 (UTC)."""

from __future__ import annotations

from dataclasses import dataclass

from vault.audit.leaf import Record


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key that signs a log, or did.

    Attributes:
        vkey: what its signatures are verified with (C2SP signed-note); empty if it signed nothing in this log.
        key: the audit keyset version, 16 hex digits.
        first, last: positions of the first and last record whose token digests are under it; None if there is none.
    """

    vkey: str
    key: str
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Former:
    """The log before, where a restore ended it: its last checkpoint outside, and which of its records are lost."""

    checkpoint: str
    lost_from: int
    lost_to: int


@dataclass(frozen=True, slots=True)
class SinkState:
    """How a sink, or the sealer, is: "ok" or a stable code, since when, when it last said so.

    `position`: records of this log before it were delivered; None if none were, or it takes none.
    """

    name: str
    state: str
    since: float
    seen_at: float
    position: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """How a log is.

    Attributes:
        log: its number; 0 if the tenant has none yet, and then there is nothing else but `pending`.
        origin: its name in checkpoints.
        size, root: of its tree; hex.
        opened_at, closed_at, sealed_at: when it was opened, ended, and last grew.
        pending: records of the tenant that are in no tree yet, counted up to 10,000.
        dropped: positions before it were archived and are not here any more.
        oldest_at: when the oldest record here was written.
        keys: that sign, or signed.
        former: the log before it, where a restore ended that one.
        sealer: how sealing goes; None before a sealer ran.
    """

    log: int
    origin: str
    size: int
    root: str
    opened_at: float | None
    closed_at: float | None
    sealed_at: float | None
    pending: int
    dropped: int
    oldest_at: float | None
    keys: tuple[LogKey, ...]
    former: Former | None
    sinks: tuple[SinkState, ...]
    sealer: SinkState | None


@dataclass(frozen=True, slots=True)
class Leaves:
    """Leaves of a log from position `first` on, None where one is missing; and their hashes as the tree's tiles say."""

    log: int
    first: int
    leaves: tuple[bytes | None, ...]
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Which records are asked for: those that fit all that is not None.

    Attributes:
        caller: the caller's name.
        token: a public token; `field` too where it is shaped.
        person: the caller's own id of the person whose tokens are named.
        operation, result: as recorded.
        since, until: when they were written, from and to, both included.
    """

    caller: str | None = None
    token: str | None = None
    field: str | None = None
    person: str | None = None
    operation: str | None = None
    result: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record, and where it lies."""

    log: int
    position: int
    record: Record


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an answer goes: records before `size` of `log`, sealed at `sealed_at`; `pending` ones are in no tree."""

    log: int
    size: int
    sealed_at: float | None
    pending: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Records:
    """A page of records, newest first; `next_cursor` is None at the end, and may come with fewer than asked for."""

    records: tuple[FoundRecord, ...]
    next_cursor: str | None
    reach: Reach


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a person's data.

    Attributes:
        fields: the field types of the person's items that it touched.
        items: how many of them.
        rest: as in `leaf.Record`.
    """

    log: int
    position: int
    record_id: str
    at: float
    caller: str
    operation: str
    fields: tuple[str, ...]
    items: int
    purpose: str
    view: str
    result: str
    reference: str
    origin: str


@dataclass(frozen=True, slots=True)
class Events:
    """A page of what happened to a person's data, newest first."""

    events: tuple[Event, ...]
    next_cursor: str | None
    reach: Reach


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a record is in a log: `proof` leads from its leaf at `position` to the root that `note` signs.

    `note` is empty if no checkpoint of that size is kept any more, and so is `vkey`, the key that signed it.
    """

    log: int
    origin: str
    position: int
    size: int
    leaf: bytes
    proof: tuple[bytes, ...]
    note: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """That a log of `to_size` leaves begins with that of `from_size`."""

    log: int
    origin: str
    from_size: int
    to_size: int
    proof: tuple[bytes, ...]
