"""Rows of `frozen_caller`: who may do nothing until somebody lets them again."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from vault.store.tables import frozen_caller
from vault.store.writer import Transaction


class Frozen(NamedTuple):
    """One frozen caller; `at` in microseconds since 1970."""

    caller: str
    reason: str
    frozen_by: str
    at: int


_FROZEN = [frozen_caller.c[name] for name in Frozen._fields]


def among(connection: Connection, tenant: int, callers: Collection[str]) -> set[str]:
    """Return which of these callers are frozen."""
    mine = (frozen_caller.c.tenant == tenant) & frozen_caller.c.caller.in_(sorted(callers))
    return set(connection.execute(select(frozen_caller.c.caller).where(mine)).scalars())


def all_of(connection: Connection, tenant: int) -> list[Frozen]:
    """Return the tenant's frozen callers, the newest first."""
    query = select(*_FROZEN).where(frozen_caller.c.tenant == tenant)
    order = frozen_caller.c.at.desc(), frozen_caller.c.caller
    return [Frozen(*row) for row in connection.execute(query.order_by(*order))]


def add(transaction: Transaction, tenant: int, caller: str, reason: str, frozen_by: str) -> bool:
    """Freeze a caller; False if it is frozen already, whose reason stays."""
    transaction.dialect.serialize(transaction.connection, f"frozen {tenant} {caller}")
    if among(transaction.connection, tenant, [caller]):
        return False
    values = {
        "tenant": tenant, "caller": caller, "reason": reason, "frozen_by": frozen_by, "at": transaction.now,
        "epoch": transaction.epoch,
    }  # fmt: skip
    transaction.connection.execute(insert(frozen_caller).values(values))
    return True


def remove(transaction: Transaction, tenant: int, caller: str) -> bool:
    """Let a caller again; False if it was not frozen."""
    mine = (frozen_caller.c.tenant == tenant) & (frozen_caller.c.caller == caller)
    return transaction.connection.execute(delete(frozen_caller).where(mine)).rowcount == 1
