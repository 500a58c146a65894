"""Rows of `proposal` and `approval`: what one person asks for and others say to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from vault.store.tables import approval, proposal
from vault.store.writer import Transaction

_ID = re.compile("apr_[0-9a-f]{16}")

OPEN, USED, REJECTED, WITHDRAWN = "open", "used", "rejected", "withdrawn"
EXPIRED = "expired"  # never stored: an open one whose time is over


class Stored(NamedTuple):
    """One proposal; times in microseconds since 1970."""

    id: str
    tenant: int
    action: str
    digest: bytes
    summary: str
    document: str | None
    author: str
    needed: int
    state: str
    created_at: int
    expires_at: int
    used_at: int | None


class Verdict(NamedTuple):
    """What one caller said to a proposal; `at` in microseconds since 1970."""

    proposal: str
    caller: str
    verdict: str
    at: int


_STORED = [proposal.c[name] for name in Stored._fields]
_VERDICT = [approval.c[name] for name in Verdict._fields]


def is_id(text: str) -> bool:
    """Tell whether a text has the form of a proposal's id; one of another form goes into no statement."""
    return _ID.fullmatch(text) is not None


def get(connection: Connection, tenant: int, proposal_id: str) -> Stored | None:
    """Return a proposal; None if the tenant has none of that id."""
    if not is_id(proposal_id):
        return None
    return _one(connection, proposal.c.tenant == tenant, proposal.c.id == proposal_id)


def hold(transaction: Transaction, tenant: int, proposal_id: str) -> Stored | None:
    """Return a proposal, which nobody else changes before the commit."""
    if not is_id(proposal_id):
        return None
    query = select(*_STORED).where(proposal.c.tenant == tenant, proposal.c.id == proposal_id)
    row = transaction.connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else Stored(*row)


def same(transaction: Transaction, tenant: int, author: str, action: str, digest: bytes) -> Stored | None:
    """Return the author's open proposal of exactly this; one at a time may look and then add."""
    transaction.dialect.serialize(transaction.connection, f"proposal {tenant} {author}")
    return _one(
        transaction.connection, proposal.c.tenant == tenant, proposal.c.author == author,
        proposal.c.action == action, proposal.c.digest == digest, _is(OPEN, transaction.now),
    )  # fmt: skip


def count_open(transaction: Transaction, tenant: int, author: str) -> int:
    """Return how many open proposals an author has."""
    mine = and_(proposal.c.tenant == tenant, proposal.c.author == author, _is(OPEN, transaction.now))
    query = select(func.count()).select_from(proposal).where(mine)
    return int(transaction.connection.execute(query).scalar_one())


def add(transaction: Transaction, stored: Stored) -> None:
    """Insert a proposal."""
    transaction.connection.execute(insert(proposal).values({**stored._asdict(), "epoch": transaction.epoch}))


def end(transaction: Transaction, proposal_id: str, state: str) -> bool:
    """Move an open proposal to its end; False if it had ended, or its time was over."""
    values: dict[str, object] = {"state": state, "epoch": transaction.epoch}
    if state == USED:
        values["used_at"] = transaction.now
    changed = transaction.connection.execute(
        update(proposal).where(proposal.c.id == proposal_id, _is(OPEN, transaction.now)).values(values)
    )
    return changed.rowcount == 1


def say(transaction: Transaction, proposal_id: str, caller: str, verdict: str) -> None:
    """Keep what a caller says to a proposal; the last word counts."""
    values = {"verdict": verdict, "at": transaction.now, "epoch": transaction.epoch}
    mine = and_(approval.c.proposal == proposal_id, approval.c.caller == caller)
    if transaction.connection.execute(update(approval).where(mine).values(values)).rowcount == 0:
        named = {"proposal": proposal_id, "caller": caller, **values}
        transaction.connection.execute(insert(approval).values(named))


def verdicts(connection: Connection, proposals: Sequence[str]) -> dict[str, list[Verdict]]:
    """Return what was said to each of these proposals, the oldest first."""
    found: dict[str, list[Verdict]] = {one: [] for one in proposals}
    query = select(*_VERDICT).where(approval.c.proposal.in_(found))
    for row in connection.execute(query.order_by(approval.c.at, approval.c.caller)) if found else ():
        found[row[0]].append(Verdict(*row))
    return found


def page(
    connection: Connection,
    tenant: int,
    state: str | None,
    now: int,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Stored]:
    """Return up to `limit` proposals, the newest first.

    Args:
        state: one of the states, or "expired"; None for all.
        now: microseconds.
        after: `created_at` and id of the last one of the page before.
    """
    where = [proposal.c.tenant == tenant]
    if state is not None:
        where.append(_is(state, now))
    if after is not None:
        at, last = after
        older = and_(proposal.c.created_at == at, proposal.c.id < last)
        where.append(or_(proposal.c.created_at < at, older))
    query = select(*_STORED).where(*where).order_by(proposal.c.created_at.desc(), proposal.c.id.desc())
    return [Stored(*row) for row in connection.execute(query.limit(limit))]


def _is(state: str, now: int) -> ColumnElement[bool]:
    if state == EXPIRED:
        return and_(proposal.c.state == OPEN, proposal.c.expires_at <= now)
    if state == OPEN:
        return and_(proposal.c.state == OPEN, proposal.c.expires_at > now)
    return proposal.c.state == state


def _one(connection: Connection, *where: ColumnElement[bool]) -> Stored | None:
    row = connection.execute(select(*_STORED).where(*where).limit(1)).one_or_none()
    return None if row is None else Stored(*row)
