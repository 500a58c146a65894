"""Proposals looked at and judged: each step asks the policy first, and is on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vault import approvals
from vault.columns import Actor
from vault.errors import InvalidRequest, UnknownProposal
from vault.permitting import permit
from vault.resources import Resources
from vault.store import lineage, proposals
from vault.store.proposals import EXPIRED, OPEN, REJECTED, USED, WITHDRAWN, Stored
from vault.store.writer import Transaction
from vault.tally import Proposal, shown

STATES = (OPEN, USED, REJECTED, WITHDRAWN, EXPIRED)


@dataclass(frozen=True, slots=True)
class ProposalPage:
    """Proposals, the newest first, and where the next page begins; None at the end."""

    proposals: list[Proposal]
    next_cursor: str | None


def page(
    resources: Resources, actor: Actor, state: str | None, cursor: str | None, limit: int
) -> ProposalPage:
    """Return a page of the tenant's proposals; see `Governing.proposals`."""
    permit(resources, actor, "approve")
    if state is not None and state not in STATES:
        raise InvalidRequest("is none of the states of a proposal", "/state")
    if not 1 <= limit <= 1_000:
        raise InvalidRequest("limit must be 1 to 1,000", "/limit")
    now, after = resources.database.now(), _place(cursor)
    with resources.database.read() as connection:
        found = proposals.page(connection, actor.tenant, state, now, after, limit + 1)
    more, found = len(found) > limit, found[:limit]
    last = f"{found[-1].created_at}-{found[-1].id}" if more else None
    return ProposalPage(_shown(resources, actor, found, now), last)


def one(resources: Resources, actor: Actor, proposal_id: str) -> Proposal:
    """Return one of the tenant's proposals; see `Governing.proposal`."""
    permit(resources, actor, "approve")
    with resources.database.read() as connection:
        found = proposals.get(connection, actor.tenant, proposal_id)
    if found is None:
        raise UnknownProposal("no proposal of that id")
    return _shown(resources, actor, [found], resources.database.now())[0]


def judge(
    resources: Resources, actor: Actor, verdict: Literal["approve", "reject"], proposal_id: str
) -> Proposal:
    """Approve or reject a proposal; see `Governing.approve`."""
    given, keys = permit(resources, actor, "approve"), resources.keyring.keys(actor.tenant)
    step = approvals.approve if verdict == "approve" else approvals.reject

    def work(transaction: Transaction) -> Proposal:
        return step(transaction, keys, actor, proposal_id, policy=given.policy.version)

    return resources.database.write(work, deadline=actor.deadline)


def withdraw(resources: Resources, actor: Actor, proposal_id: str) -> Proposal:
    """Withdraw a proposal; whoever could make it may, so the policy is not asked. See `Governing.withdraw`."""
    policy, keys = resources.policies.of(actor.tenant), resources.keyring.keys(actor.tenant)

    def work(transaction: Transaction) -> Proposal:
        return approvals.withdraw(transaction, keys, actor, proposal_id, policy=policy.version)

    return resources.database.write(work, deadline=actor.deadline)


def _shown(resources: Resources, actor: Actor, found: list[Stored], now: int) -> list[Proposal]:
    with resources.database.read() as connection:
        said = proposals.verdicts(connection, [stored.id for stored in found])
        everybody = lineage.read(connection, actor.tenant, now)
    return [shown(stored, said[stored.id], everybody, now) for stored in found]


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at, _, proposal_id = cursor.partition("-")
    if not at.isascii() or not at.isdecimal() or len(at) > 18 or not proposals.is_id(proposal_id):
        raise InvalidRequest("the cursor is not one that this service gave", "/cursor")
    return int(at), proposal_id
