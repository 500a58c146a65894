"""What requests on the audit and on alarms hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from api.schema.asks import Ask, Cursor, Field, Limit, PageQuery, Subject
from api.schema.governing import Caller, Word
from vault.auditing import MAX_CHECKPOINTS, MAX_LEAVES

LogNumber = Annotated[
    int, Meta(ge=1, le=999_999_999, description="Which log, counted from 1; default the newest.")
]
Position = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Of a record in its log, counted from 0.")]
Size = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Of a log: how many records.")]
RecordId = Annotated[str, Meta(min_length=1, max_length=64, description="A record's id, 32 hex digits.")]
Moment = Annotated[datetime, Meta(tz=True, description="With its offset; both ends are included.")]


class LogQuery(Ask, kw_only=True):
    """Which log."""

    log: LogNumber | None = None


class CheckpointQuery(LogQuery, kw_only=True):
    """Which log, and of how many records; default all that are in it."""

    size: Size | None = None


class CheckpointsQuery(LogQuery, kw_only=True):
    """The checkpoints of more records than `after`."""

    after: Size = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_CHECKPOINTS)] = 100


class LeavesQuery(LogQuery, kw_only=True):
    """The records from position `first` on."""

    first: Position = 0
    limit: Annotated[int, Meta(ge=1, le=MAX_LEAVES)] = 1_000


class TileQuery(LogQuery, kw_only=True):
    """Which tile (C2SP tlog-tiles)."""

    level: Annotated[int, Meta(ge=0, le=7)] = 0
    number: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0


class Span(Ask, kw_only=True):
    """From when to when."""

    since: Moment | None = None
    until: Moment | None = None


class RecordSearch(Span, kw_only=True):
    """Which records: those that fit all that is said."""

    caller: Caller | None = None
    token: Annotated[str, Meta(max_length=1_024, description="A shaped one needs its `field`.")] | None = None
    field: Field | None = None
    subject: Subject | None = None
    operation: Word | None = None
    result: Annotated[str, Meta(min_length=1, max_length=64, description="ok, or a code.")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class PersonSearch(Span, kw_only=True):
    """Whose data."""

    subject: Subject
    cursor: Cursor | None = None
    limit: Limit = 100


class RecordProof(LogQuery, kw_only=True):
    """A record by its id, or by its position in a log; and the size of the tree that it is proved to be in."""

    record: RecordId | Position
    size: Size | None = None


class GrowthProof(LogQuery, kw_only=True):
    """Two sizes of a log."""

    from_size: Size
    to_size: Size


class AuditExport(Span, kw_only=True):
    """Which records, by position or by time: `first` is included, `end` is not."""

    format: Literal["ndjson", "csv"] = "ndjson"
    log: LogNumber | None = None
    first: Position | None = None
    end: Size | None = None


class Reopening(Ask, kw_only=True):
    """The last checkpoint of the former log that is kept outside."""

    checkpoint: Annotated[str, Meta(min_length=1, max_length=131_072, description="The whole signed note.")]


class AlarmQuery(PageQuery, kw_only=True):
    """Which page of the alarms."""
