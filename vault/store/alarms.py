"""Rows of `alarm`, and of `alarm_delivery`: what somebody should look at, and who was told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, exists, func, insert, literal, or_, select, update

from vault.store.tables import alarm, alarm_delivery, tenant
from vault.store.writer import Transaction

Detail = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm as the database has it; times in microseconds since 1970 (UTC).

    Attributes:
        tenant: None where it is nobody's alone; `business` and `mode` are "" then.
        detail: names, codes and counts alone; `count` where it was raised more than once within a minute.
        caller: "" where no caller is the cause.
    """

    id: str
    tenant: int | None
    business: str
    mode: str
    kind: str
    detail: dict[str, str | int]
    caller: str
    request_id: str
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alarm that a hook has not been told yet; `attempts` so far."""

    alarm: Alarm
    hook: str
    attempts: int


_QUERY = select(alarm, tenant.c.name, tenant.c.mode).join(tenant, tenant.c.id == alarm.c.tenant, isouter=True)


def newest_like(
    transaction: Transaction, tenant_id: int | None, kind: str, caller: str, since: int
) -> tuple[str, dict[str, str | int]] | None:
    """Return id and detail of the newest alarm of a kind, tenant and caller in [since, now]; None if there is none.

    Others who ask for the same wait until this transaction ends.
    """
    transaction.dialect.serialize(transaction.connection, f"alarm {tenant_id} {kind} {caller}")
    same = _of(tenant_id) & (alarm.c.kind == kind) & (alarm.c.caller == caller)
    recent = (alarm.c.at >= since) & (alarm.c.at <= transaction.now)
    query = select(alarm.c.id, alarm.c.detail).where(same, recent).order_by(alarm.c.at.desc()).limit(1)
    row = transaction.connection.execute(query).one_or_none()
    return None if row is None else (row.id, json.loads(row.detail))


def add(transaction: Transaction, made: Alarm) -> None:
    """Insert an alarm."""
    transaction.connection.execute(
        insert(alarm).values(
            id=made.id, tenant=made.tenant, kind=made.kind, detail=_text(made.detail), caller=made.caller,
            request_id=made.request_id, at=made.at, epoch=transaction.epoch,
        )
    )  # fmt: skip


def say_more(transaction: Transaction, alarm_id: str, detail: Detail) -> None:
    """Replace the detail of an alarm."""
    values = {"detail": _text(detail), "epoch": transaction.epoch}
    transaction.connection.execute(update(alarm).where(alarm.c.id == alarm_id).values(values))


def page(
    connection: Connection, tenant_id: int, before: tuple[int, str] | None, limit: int, newer: int = 0
) -> list[Alarm]:
    """Return the newest alarms of a tenant and of nobody alone, before a place (time and id), the newest first."""
    query = _QUERY.where(or_(alarm.c.tenant == tenant_id, alarm.c.tenant.is_(None)), alarm.c.at >= newer)
    if before is not None:
        at, alarm_id = before
        query = query.where(or_(alarm.c.at < at, and_(alarm.c.at == at, alarm.c.id < alarm_id)))
    found = connection.execute(query.order_by(alarm.c.at.desc(), alarm.c.id.desc()).limit(limit))
    return [_alarm(row) for row in found]


def acknowledge(transaction: Transaction, tenant_id: int, alarm_id: str, by: str) -> Alarm | None:
    """Say that somebody has seen to an alarm, the first time; return it, or None if the tenant has none of that id."""
    mine = (alarm.c.id == alarm_id) & or_(alarm.c.tenant == tenant_id, alarm.c.tenant.is_(None))
    values = {"acknowledged_at": transaction.now, "acknowledged_by": by, "epoch": transaction.epoch}
    transaction.connection.execute(
        update(alarm).where(mine, alarm.c.acknowledged_at.is_(None)).values(values)
    )
    row = transaction.connection.execute(_QUERY.where(mine)).one_or_none()
    return None if row is None else _alarm(row)


def counts(connection: Connection) -> dict[str, int]:
    """Return how many alarms of each kind there are."""
    query = select(alarm.c.kind, func.count()).group_by(alarm.c.kind)
    return {kind: int(count) for kind, count in connection.execute(query)}


def owe(transaction: Transaction, hooks: Sequence[str], since: int) -> None:
    """Enter what each hook has to be told: every alarm from `since` on that it has no row for."""
    for hook in hooks:
        told = exists().where(alarm_delivery.c.alarm == alarm.c.id, alarm_delivery.c.hook == hook)
        missing = select(alarm.c.id, literal(hook), literal(0), literal(transaction.now)).where(
            alarm.c.at >= since, ~told
        )
        columns = ["alarm", "hook", "attempts", "next_at"]
        transaction.connection.execute(insert(alarm_delivery).from_select(columns, missing))


def due(connection: Connection, hooks: Sequence[str], now: int, since: int, limit: int) -> list[Delivery]:
    """Return what each hook is to be told now, of alarms from `since` on, at most `limit` each; the oldest first."""
    found: list[Delivery] = []
    for hook in hooks:
        query = (
            _QUERY.add_columns(alarm_delivery.c.hook, alarm_delivery.c.attempts)
            .join(alarm_delivery, alarm_delivery.c.alarm == alarm.c.id)
            .where(alarm_delivery.c.hook == hook, alarm_delivery.c.sent_at.is_(None))
            .where(alarm_delivery.c.next_at <= now, alarm.c.at >= since)
            .order_by(alarm.c.at, alarm.c.id)
            .limit(limit)
        )
        found += [Delivery(_alarm(row), row.hook, row.attempts) for row in connection.execute(query)]
    return found


def told(transaction: Transaction, alarm_id: str, hook: str) -> None:
    """Say that a hook was told."""
    _note(transaction, alarm_id, hook, {"sent_at": transaction.now, "problem": None})


def failed(transaction: Transaction, alarm_id: str, hook: str, problem: str, next_at: int) -> None:
    """Say that a hook could not be told: the stable code of why, and when to try again (microseconds)."""
    _note(transaction, alarm_id, hook, {"problem": problem, "next_at": next_at})


def _note(transaction: Transaction, alarm_id: str, hook: str, values: dict[str, Any]) -> None:
    row = (alarm_delivery.c.alarm == alarm_id) & (alarm_delivery.c.hook == hook)
    more = {"attempts": alarm_delivery.c.attempts + 1, **values}
    transaction.connection.execute(update(alarm_delivery).where(row).values(more))


def _of(tenant_id: int | None) -> Any:
    return alarm.c.tenant.is_(None) if tenant_id is None else alarm.c.tenant == tenant_id


def _text(detail: Detail) -> str:
    return json.dumps(dict(detail), sort_keys=True, separators=(",", ":"))


def _alarm(row: Any) -> Alarm:
    return Alarm(
        row.id, row.tenant, row.name or "", row.mode or "", row.kind, json.loads(row.detail), row.caller,
        row.request_id, row.at, row.acknowledged_at, row.acknowledged_by,
    )  # fmt: skip
