"""Rows of `attempt`: how often somebody guessed, and until when nobody may; the same for every process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from vault.index import bucket_of
from vault.store.tables import attempt
from vault.store.writer import Transaction

NEVER = 2**62  # microseconds: of an account that only an operator lets through again


@dataclass(frozen=True, slots=True)
class Standing:
    """Attempts that failed, when the next is let through, and when all is forgotten; microseconds since 1970."""

    failures: int
    barred_until: int
    expires_at: int


FRESH = Standing(0, 0, 0)


def hold(transaction: Transaction, tenant: int, who: Sequence[bytes]) -> dict[bytes, Standing]:
    """Return how each of these stands, in an order that is the same for all; nobody changes it before the commit.

    What is over counts as never having been.
    """
    found: dict[bytes, Standing] = {}
    for one in sorted(who):
        query = select(attempt.c.failures, attempt.c.barred_until, attempt.c.expires_at)
        row = transaction.connection.execute(query.where(_is(tenant, one)).with_for_update()).one_or_none()
        if row is not None:
            found[one] = Standing(*row) if row.expires_at > transaction.now else FRESH
    return found


def put(transaction: Transaction, tenant: int, who: bytes, standing: Standing, *, there: bool) -> None:
    """Store how somebody stands; `there`: `hold` found it. Two that insert the same clash, and are tried again."""
    values: dict[str, object] = {
        "failures": standing.failures, "barred_until": standing.barred_until, "expires_at": standing.expires_at,
        "epoch": transaction.epoch,
    }  # fmt: skip
    if there:
        transaction.connection.execute(update(attempt).where(_is(tenant, who)).values(values))
    else:
        values |= {"bucket": bucket_of(who), "tenant": tenant, "who": who}
        transaction.connection.execute(insert(attempt).values(values))


def forget(transaction: Transaction, tenant: int, who: bytes) -> bool:
    """Let somebody begin anew; return whether there was anything to forget."""
    return transaction.connection.execute(delete(attempt).where(_is(tenant, who))).rowcount == 1


def locked(connection: Connection, tenant: int) -> int:
    """Return how many accounts only an operator lets through again; reads the whole table."""
    query = select(func.count()).select_from(attempt)
    mine = (attempt.c.tenant == tenant) & (attempt.c.barred_until == NEVER)
    return int(connection.execute(query.where(mine)).scalar_one())


def sweep(bucket: int, transaction: Transaction) -> int:
    """Delete one bucket's rows whose time is over; return how many."""
    over = (attempt.c.bucket == bucket) & (attempt.c.expires_at <= transaction.now)
    return transaction.connection.execute(delete(attempt).where(over)).rowcount


def _is(tenant: int, who: bytes) -> ColumnElement[bool]:
    return (attempt.c.bucket == bucket_of(who)) & (attempt.c.tenant == tenant) & (attempt.c.who == who)
