"""The audit's answers as replies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.schema import audited
from api.views.descriptions import moment
from vault.audit import answers
from vault.keyed import DIGEST_BYTES


def status(found: answers.Status) -> audited.AuditStatus:
    """Return how a log is."""
    former, sealer = found.former, found.sealer
    return audited.AuditStatus(
        log=found.log,
        origin=found.origin,
        size=found.size,
        root=found.root,
        opened_at=moment(found.opened_at),
        closed_at=moment(found.closed_at),
        sealed_at=moment(found.sealed_at),
        pending=found.pending,
        dropped=found.dropped,
        oldest_at=moment(found.oldest_at),
        keys=[audited.AuditKey(one.vkey, one.key, one.first, one.last) for one in found.keys],
        former=None
        if former is None
        else audited.FormerLog(former.checkpoint, former.lost_from, former.lost_to),
        sinks=[_sink(one) for one in found.sinks],
        sealer=None if sealer is None else _sink(sealer),
    )


def records(found: answers.Records, names: Mapping[str, str]) -> audited.AuditRecords:
    """Return a page of records; `names` of API keys by their ids."""
    return audited.AuditRecords(
        records=[_record(one, names) for one in found.records],
        next_cursor=found.next_cursor,
        **_reach(found.reach),
    )


def events(found: answers.Events, names: Mapping[str, str]) -> audited.PersonEvents:
    """Return a page of what happened to a person's data."""
    return audited.PersonEvents(
        events=[_event(one, names) for one in found.events],
        next_cursor=found.next_cursor,
        **_reach(found.reach),
    )


def inclusion(found: answers.Inclusion) -> audited.InclusionProof:
    """Return the proof that a record is in a log."""
    return audited.InclusionProof(
        log=found.log,
        origin=found.origin,
        position=found.position,
        size=found.size,
        leaf=found.leaf,
        hashes=[one.hex() for one in found.proof],
        checkpoint=found.note,
        vkey=found.vkey,
    )


def consistency(found: answers.Consistency) -> audited.ConsistencyProof:
    """Return the proof that a log kept what it had."""
    return audited.ConsistencyProof(
        log=found.log,
        origin=found.origin,
        from_size=found.from_size,
        to_size=found.to_size,
        hashes=[one.hex() for one in found.proof],
    )


def _record(found: answers.FoundRecord, names: Mapping[str, str]) -> audited.AuditRecord:
    record = found.record
    return audited.AuditRecord(
        log=found.log,
        position=found.position,
        id=record.id.hex(),
        at=_at(record.at / 1e6),
        caller=record.actor,
        caller_name=names.get(record.actor),
        operation=record.operation,
        fields=record.field.split(),
        tokens=len(record.tokens) // DIGEST_BYTES,
        persons=len(record.persons) // DIGEST_BYTES,
        purpose=record.purpose,
        view=record.view,
        result=record.result,
        count=record.count,
        refused=record.refused,
        request_id=record.request_id,
        origin=record.origin,
        reference=record.reference,
        target=record.target,
        policy=record.policy,
    )


def _event(found: answers.Event, names: Mapping[str, str]) -> audited.PersonEvent:
    return audited.PersonEvent(
        log=found.log,
        position=found.position,
        id=found.record_id,
        at=_at(found.at),
        caller=found.caller,
        caller_name=names.get(found.caller),
        operation=found.operation,
        fields=list(found.fields),
        items=found.items,
        purpose=found.purpose,
        view=found.view,
        result=found.result,
        reference=found.reference,
        origin=found.origin,
    )


def _sink(one: answers.SinkState) -> audited.AuditSink:
    return audited.AuditSink(one.name, one.state, _at(one.since), _at(one.seen_at), one.position)


def _reach(found: answers.Reach) -> dict[str, Any]:
    return {
        "log": found.log,
        "sealed_to": found.size,
        "sealed_at": moment(found.sealed_at),
        "pending": found.pending,
        "dropped": found.dropped,
    }


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
