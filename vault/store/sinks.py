"""Rows of `audit_sink`: how far each place outside has been given each log."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from vault.store.auditlog import bucket_of
from vault.store.tables import audit_checkpoint, audit_sink
from vault.store.writer import Transaction

LogKey = tuple[int, int]  # tenant and number of a log


class Cursor(NamedTuple):
    """How far a sink has been given a log: records before `position`, and the checkpoint of `size` leaves."""

    position: int
    size: int


START = Cursor(0, 0)


def cursors(connection: Connection, name: str) -> dict[LogKey, Cursor]:
    """Return how far a sink has been given each log; a log that it knows nothing of is left out."""
    found = connection.execute(select(audit_sink).where(audit_sink.c.name == name))
    return {(row.tenant, row.log): Cursor(row.position, row.size) for row in found}


def move(transaction: Transaction, name: str, log: LogKey, cursor: Cursor) -> None:
    """Say how far a sink has been given a log now, which may be less far than before."""
    mine = (audit_sink.c.name == name) & (audit_sink.c.tenant == log[0]) & (audit_sink.c.log == log[1])
    values = {"position": cursor.position, "size": cursor.size, "at": transaction.now}
    if transaction.connection.execute(update(audit_sink).where(mine).values(values)).rowcount == 0:
        transaction.connection.execute(
            insert(audit_sink).values(name=name, tenant=log[0], log=log[1], **values)
        )


def cosign(transaction: Transaction, log: LogKey, size: int, note: str) -> None:
    """Put a checkpoint's note with more signatures in the place of the one that is there."""
    tenant, number = log
    table = audit_checkpoint
    there = (table.c.bucket == bucket_of(tenant, size)) & (table.c.tenant == tenant)
    mine = there & (table.c.log == number) & (table.c.size == size)
    transaction.connection.execute(update(table).where(mine).values(note=note, epoch=transaction.epoch))
