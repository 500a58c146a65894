"""Rows of `audit_health`: how the sealer and each sink are, as the process that runs them last said."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from vault.store.tables import audit_health, audit_sink
from vault.store.writer import Transaction

SEALER = "sealer"
OUTSIDE = "outside"  # whether any place outside takes records
OK = "ok"


class Health(NamedTuple):
    """How one of them is: "ok" or a stable code; since when, and when it was last said, in microseconds."""

    name: str
    state: str
    since: int
    seen_at: int


def states(connection: Connection) -> list[Health]:
    """Return what is known of all, by name."""
    return [Health(*row) for row in connection.execute(select(audit_health).order_by(audit_health.c.name))]


def state(connection: Connection, name: str) -> Health | None:
    """Return what is known of one; None if nothing is."""
    found = connection.execute(select(audit_health).where(audit_health.c.name == name)).one_or_none()
    return None if found is None else Health(*found)


def tell(transaction: Transaction, name: str, state: str) -> str | None:
    """Say how one is now; return what it was before, None if nothing was known."""
    connection, mine = transaction.connection, audit_health.c.name == name
    before: str | None = connection.execute(select(audit_health.c.state).where(mine)).scalar()
    values = {"state": state, "seen_at": transaction.now}
    if before != state:
        values["since"] = transaction.now
    statement = insert(audit_health).values(name=name) if before is None else update(audit_health).where(mine)
    connection.execute(statement.values(values))
    return before


def delivered(connection: Connection, tenant: int, log: int) -> dict[str, int]:
    """Return for each sink up to which position of a log it has been given the records."""
    query = select(audit_sink.c.name, audit_sink.c.position).where(
        audit_sink.c.tenant == tenant, audit_sink.c.log == log
    )
    return {row.name: row.position for row in connection.execute(query)}
