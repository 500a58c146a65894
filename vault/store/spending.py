"""Rows of `spending`: how much a caller revealed or missed in a window of time; the same for every process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, update

from vault.index import bucket_of
from vault.store.tables import spending
from vault.store.writer import Transaction


class Spent(NamedTuple):
    """One window's count; `barred_until` and `expires_at` in microseconds since 1970."""

    amount: int
    barred_until: int
    expires_at: int


Window = tuple[str, int]  # its name, and when it began, microseconds

_SPENT = [spending.c[name] for name in Spent._fields]


def hold(transaction: Transaction, tenant: int, who: bytes, windows: list[Window]) -> dict[Window, Spent]:
    """Return the counts that there are, in one statement; nobody changes them before the commit."""
    any_of = or_(*[and_(spending.c.window == name, spending.c.start == start) for name, start in windows])
    query = select(spending.c.window, spending.c.start, *_SPENT).where(_who(tenant, who), any_of)
    # In one order for all: two that hold what the other waits for would never end.
    found = transaction.connection.execute(query.order_by(spending.c.window).with_for_update())
    return {(row[0], row[1]): Spent(*row[2:]) for row in found}


def put(
    transaction: Transaction, tenant: int, who: bytes, counts: Mapping[Window, Spent], there: Mapping[Window, Spent]
) -> None:  # fmt: skip
    """Store counts; `there`: what `hold` found. Two that insert the same clash, and are tried again."""
    for (name, start), spent in sorted(counts.items()):
        values = {**spent._asdict(), "epoch": transaction.epoch}
        if (name, start) in there:
            mine = and_(_who(tenant, who), spending.c.window == name, spending.c.start == start)
            transaction.connection.execute(update(spending).where(mine).values(values))
        else:
            values |= {"bucket": bucket_of(who), "tenant": tenant, "who": who, "window": name, "start": start}
            transaction.connection.execute(insert(spending).values(values))


def barred(connection: Connection, tenant: int, who: bytes, window: Window) -> int:
    """Return until when one window bars a caller, microseconds; 0 for not at all."""
    name, start = window
    mine = and_(_who(tenant, who), spending.c.window == name, spending.c.start == start)
    return connection.execute(select(spending.c.barred_until).where(mine)).scalar() or 0


def sweep(bucket: int, transaction: Transaction) -> int:
    """Delete one bucket's rows whose time is over; return how many."""
    over = (spending.c.bucket == bucket) & (spending.c.expires_at <= transaction.now)
    return transaction.connection.execute(delete(spending).where(over)).rowcount


def _who(tenant: int, who: bytes) -> ColumnElement[bool]:
    return (spending.c.bucket == bucket_of(who)) & (spending.c.tenant == tenant) & (spending.c.who == who)
