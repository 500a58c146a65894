"""The audit: how its log is, what is in it, and proof of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, TypedDict, Unpack
from urllib.parse import urlencode

from msgspec import Struct

from strongroom_client.errors import BadReply, InvalidArgument
from strongroom_client.options import wire
from strongroom_client.retries import Repeat
from strongroom_client.session import Session, encode

MAX_LEAVES = 5_000  # in one answer
_MANY = 2**53 - 1


class AuditKey(Struct, frozen=True):
    """A key of a log.

    Attributes:
        vkey: verifies its signatures (C2SP signed-note); empty if it signed none here.
        key: the audit keyset version.
        first, last: positions of the records whose token digests are under it; None if there is none.
    """

    vkey: str
    key: str
    first: int | None = None
    last: int | None = None


class FormerLog(Struct, frozen=True):
    """The log before, that a restore cut: its last checkpoint outside, and which of its records are lost."""

    checkpoint: str
    lost_from: int
    lost_to: int


class AuditSink(Struct, frozen=True):
    """How a place outside is, or the sealer: "ok" or a code; records of this log before `position` were delivered."""

    name: str
    state: str
    since: datetime
    seen_at: datetime
    position: int | None = None


class AuditStatus(Struct, frozen=True, kw_only=True):
    """How a log is; times in UTC.

    Attributes:
        log: its number; 0 if the tenant has none yet.
        origin: its name in checkpoints.
        size, root: of its tree; hex.
        pending: records that are in no tree yet.
        dropped: records before this position were archived.
        oldest_at: when the oldest record that is still here was written.
        former: the log before it, where a restore ended that one.
    """

    log: int
    origin: str
    size: int
    root: str
    pending: int
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    sealed_at: datetime | None = None
    dropped: int = 0
    oldest_at: datetime | None = None
    keys: list[AuditKey] = []
    former: FormerLog | None = None
    sinks: list[AuditSink] = []
    sealer: AuditSink | None = None


class AuditLeaves(Struct, frozen=True):
    """Records of a log from position `first` on, None where one is missing, and their hashes as the tiles have them."""

    log: int
    first: int
    leaves: list[bytes | None]
    hashes: list[bytes]


class AuditRecord(Struct, frozen=True, kw_only=True):
    """Who did what, and where that is on record.

    Attributes:
        caller, caller_name: the caller; what people call it, if it is an API key.
        fields: the field types that were touched.
        tokens, persons: how many.
        result: "ok", or the code of the refusal.
        count, refused: items carried out and refused.
        origin: the address that it was asked from.
        reference: case and consent that were named.
        target: what an administrative act was on.
        policy: the version of the policy that let it through or refused it.
    """

    log: int
    position: int
    id: str
    at: datetime
    caller: str
    operation: str
    result: str
    caller_name: str | None = None
    fields: list[str] = []
    tokens: int = 0
    persons: int = 0
    purpose: str = ""
    view: str = ""
    count: int = 0
    refused: int = 0
    request_id: str = ""
    origin: str = ""
    reference: str = ""
    target: str = ""
    policy: int = 0


class PersonEvent(Struct, frozen=True, kw_only=True):
    """One thing that happened to a person's data: `items` of theirs, of the types `fields`; the rest as in records."""

    log: int
    position: int
    id: str
    at: datetime
    caller: str
    operation: str
    result: str
    caller_name: str | None = None
    fields: list[str] = []
    items: int = 0
    purpose: str = ""
    view: str = ""
    reference: str = ""
    origin: str = ""


class AuditReach(Struct, frozen=True, kw_only=True):
    """How far an answer goes: to before `sealed_to` of `log`; `pending` records are on record and in no tree yet."""

    log: int
    sealed_to: int
    pending: int
    sealed_at: datetime | None = None
    dropped: int = 0


class AuditRecords(AuditReach, frozen=True, kw_only=True):
    """A page of records, the newest first."""

    records: list[AuditRecord]
    next_cursor: str | None = None


class PersonEvents(AuditReach, frozen=True, kw_only=True):
    """A page of what happened to a person's data, the newest first."""

    events: list[PersonEvent]
    next_cursor: str | None = None


class InclusionProof(Struct, frozen=True, kw_only=True):
    """That `leaf` is record `position` of the `size` in a log (RFC 6962, section 2.1.1).

    Attributes:
        hashes: in hex; they lead from the leaf to the root in `checkpoint`.
        checkpoint: signed; "" if none of that size is kept.
        vkey: verifies it.
    """

    log: int
    origin: str
    position: int
    size: int
    leaf: bytes
    hashes: list[str]
    checkpoint: str = ""
    vkey: str = ""


class ConsistencyProof(Struct, frozen=True, kw_only=True):
    """That the log of `to_size` records begins with that of `from_size` (RFC 6962, section 2.1.2); hashes in hex."""

    log: int
    origin: str
    from_size: int
    to_size: int
    hashes: list[str]


class RecordQuery(TypedDict, total=False):
    """Which records: those that fit all that is said; see `Audit.audit_pages`."""

    caller: str | None
    token: str | None
    field: str | None
    subject: str | None
    operation: str | None
    result: str | None
    since: datetime | None
    until: datetime | None
    page: int


class _Note(Struct):
    checkpoint: str


class _Notes(Struct):
    checkpoints: list[str]


class _Tile(Struct):
    hashes: list[bytes]


class Audit(Session):
    """The calls on the audit; they need an API key that carries the operation audit. Each of them is on record."""

    def audit_status(self, log: int | None = None) -> AuditStatus:
        """Return how a log is, the newest by default; raise NotFound (code unknown_log)."""
        return self._call("GET", _path("", log=log), AuditStatus)

    def audit_checkpoint(self, *, log: int | None = None, size: int | None = None) -> str:
        """Return the signed checkpoint (C2SP) of all that is sealed, or of `size` records."""
        return self._call("GET", _path("/checkpoint", log=log, size=size), _Note).checkpoint

    def audit_checkpoints(
        self, *, log: int | None = None, after: int = 0, page: int = 1_000
    ) -> Iterator[str]:
        """Yield the signed checkpoints of more than `after` records, the smallest first; none of them is verified."""
        while True:
            found = self._call(
                "GET", _path("/checkpoints", log=log, after=after, limit=page), _Notes
            ).checkpoints
            yield from found
            if len(found) < page:
                return
            after = max(after + 1, _size(found[-1]))

    def audit_leaves(
        self, *, log: int | None = None, first: int = 0, end: int | None = None, page: int = MAX_LEAVES
    ) -> Iterator[AuditLeaves]:
        """Yield records from position `first` to before `end`, by default all that are sealed, in columns.

        Raises NotFound if they were archived (code unknown_record), or there is no such log (code unknown_log).
        """
        last = _MANY if end is None else end
        while first < last:
            limit = min(page, last - first)
            found = self._call("GET", _path("/leaves", log=log, first=first, limit=limit), AuditLeaves)
            if not found.leaves:
                return
            if found.first != first or len(found.leaves) > limit:
                raise BadReply("the reply cannot be used: it has other records than were asked for")
            yield found
            first += len(found.leaves)

    def audit_tile(self, level: int, number: int, *, log: int | None = None) -> list[bytes]:
        """Return the hashes of a tile of the tree (C2SP tlog-tiles); raise NotFound (code unknown_record)."""
        return self._call("GET", _path("/tiles", log=log, level=level, number=number), _Tile).hashes

    def audit_pages(
        self,
        *,
        caller: str | None = None,
        token: str | None = None,
        field: str | None = None,
        subject: str | None = None,
        operation: str | None = None,
        result: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 100,
    ) -> Iterator[AuditRecords]:
        """Yield pages of the records that fit all that is said, the newest first; a page may be empty.

        Args:
            caller: an API key's id, or another caller's name.
            token: one that a record names; a shaped one needs its `field`.
            subject: your own id of the person whose tokens a record names.
            since, until: both included, with their time zone.
        """
        ask = {
            "caller": caller, "token": token, "field": field, "subject": subject, "operation": operation,
            "result": result, "since": _moment(since), "until": _moment(until), "limit": page,
        }  # fmt: skip
        cursor: str | None = None
        while True:
            body, sent = encode(wire({**ask, "cursor": cursor})), [token, subject]
            found = self._call("POST", "/v1/audit/records", AuditRecords, body=body, sent=sent)
            yield found
            cursor = found.next_cursor
            if cursor is None:
                return

    def audit_records(self, **query: Unpack[RecordQuery]) -> Iterator[AuditRecord]:
        """Yield the records that fit; see `audit_pages`, which says how far the answer goes, too."""
        for found in self.audit_pages(**query):
            yield from found.records

    def person_pages(
        self, subject: str, *, since: datetime | None = None, until: datetime | None = None, page: int = 100
    ) -> Iterator[PersonEvents]:
        """Yield pages of what happened to a person's data, the newest first; a page may be empty."""
        ask = {"subject": subject, "since": _moment(since), "until": _moment(until), "limit": page}
        cursor: str | None = None
        while True:
            body = encode(wire({**ask, "cursor": cursor}))
            found = self._call("POST", "/v1/audit/person", PersonEvents, body=body, sent=[subject])
            yield found
            cursor = found.next_cursor
            if cursor is None:
                return

    def person_events(
        self, subject: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[PersonEvent]:
        """Yield what happened to a person's data, the newest first."""
        for found in self.person_pages(subject, since=since, until=until):
            yield from found.events

    def prove_record(
        self, record: str | int, *, log: int | None = None, size: int | None = None
    ) -> InclusionProof:
        """Return the proof that a record is in a log.

        Args:
            record: its id, or its position in the log.
            size: of the tree; by default all that is sealed.
        Raises:
            NotFound: codes unknown_record, unknown_log.
            Refused: code not_sealed for the first few seconds.
        """
        body = encode(wire({"record": record, "log": log, "size": size}))
        return self._call("POST", "/v1/audit/prove", InclusionProof, body=body)

    def prove_consistency(self, from_size: int, to_size: int, *, log: int | None = None) -> ConsistencyProof:
        """Return the proof that a log kept all that it had when it was smaller."""
        body = encode(wire({"from_size": from_size, "to_size": to_size, "log": log}))
        return self._call("POST", "/v1/audit/consistency", ConsistencyProof, body=body)

    def export_audit(
        self,
        write: Callable[[bytes], object],
        *,
        form: Literal["ndjson", "csv"] = "ndjson",
        log: int | None = None,
        first: int | None = None,
        end: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        """Hand the pieces of a signed file of records to `write`; without its last line it was cut off.

        Args:
            first, end: positions from and to before which; default all that are here.
            since, until: instead of positions: all records of a time, and some around it.
        """
        ask = wire({
            "format": form, "log": log, "first": first, "end": end, "since": _moment(since), "until": _moment(until),
        })  # fmt: skip
        self._receive("/v1/audit/export", encode(ask), write)

    def reopen_audit(self, checkpoint: str) -> AuditStatus:
        """End the log of a restored database and open the next one, which names what is lost.

        Args:
            checkpoint: the last one of the former log that is kept outside: the whole signed note.
        Raises:
            Refused: codes invalid_checkpoint; log_not_behind if nothing is lost.
        """
        body = encode({"checkpoint": checkpoint})
        return self._call("POST", "/v1/audit/reopen", AuditStatus, body=body, repeat=Repeat.UNSENT)


def _path(tail: str, **query: object) -> str:
    asked = urlencode(wire(query))
    return f"/v1/audit{tail}?{asked}" if asked else f"/v1/audit{tail}"


def _size(note: str) -> int:
    """Return how many records a checkpoint says it covers: the number in its second line."""
    _, _, rest = note.partition("\n")
    number = rest.partition("\n")[0]
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise BadReply("the reply cannot be used: it holds a note that is no checkpoint")
    return int(number)


def _moment(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise InvalidArgument("a time needs a time zone")
    return at
