"""What needs a second person: proposed, bound by a digest to exactly one action, approved by others, used once.

Whoever asks makes the proposal by asking, and asks again with its id once it is approved. People are told apart by
their callers; API keys of which one made the other count as one (`lineage`). What is refused here is raised as Refused,
which lets what was written stand: a proposal that was made, and the audit records.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from keys.openkeys import TenantKeys
from vault.audit import journal
from vault.bound import bulk, digest
from vault.columns import Actor
from vault.errors import (
    ApprovalNotValid,
    ApprovalRequired,
    InvalidRequest,
    SelfApproval,
    UnknownProposal,
    VaultError,
)
from vault.store import lineage, proposals
from vault.store.proposals import OPEN, REJECTED, USED, WITHDRAWN, Stored
from vault.store.writer import Refused, Transaction
from vault.tally import APPROVED, Proposal, shown

__all__ = ["Proposal", "approve", "bulk", "digest", "mark", "propose", "reject", "require", "use", "withdraw"]

NEEDED = 2  # people, the author included
VALID_SECONDS = 86_400  # from the proposal on
MAX_OPEN = 100  # proposals of one author at once


def propose(
    transaction: Transaction, keys: TenantKeys, actor: Actor, action: str, digest: bytes, summary: str,
    document: str | None = None, *, needed: int = NEEDED, policy: int = 0,
) -> Proposal:  # fmt: skip
    """Return the author's open proposal of exactly this, made now if there is none.

    Args:
        digest: of `bound.digest`.
        summary: what the others read; no value, no token.
        document: a policy's text.
        policy: the version of the policy in force, for the audit record.
    """
    stored = proposals.same(transaction, actor.tenant, actor.name, action, digest)
    if stored is None:
        step = _Step(transaction, keys, actor, policy, "propose")
        if proposals.count_open(transaction, actor.tenant, actor.name) >= MAX_OPEN:
            raise step.refuse(
                InvalidRequest(f"a caller has at most {MAX_OPEN} open proposals; withdraw some")
            )
        until = transaction.now + VALID_SECONDS * 1_000_000
        stored = Stored(
            f"apr_{secrets.token_hex(8)}", actor.tenant, action, digest, summary, document, actor.name, needed, OPEN,
            transaction.now, until, None,
        )  # fmt: skip
        proposals.add(transaction, stored)
        step.note(stored.id)
    return _shown(transaction, stored)


def require(
    transaction: Transaction, keys: TenantKeys, actor: Actor, action: str, digest: bytes, summary: str,
    document: str | None = None, *, needed: int = NEEDED, policy: int = 0,
) -> Proposal:  # fmt: skip
    """Return the approved proposal that the request names, held until the commit; `mark` it when nothing can fail.

    Raises Refused: with ApprovalRequired where none is named, the proposal being made; with ApprovalNotValid where the
    one named is another's, of something else, not approved, expired or used.
    """
    if actor.approval is None:
        made = propose(
            transaction, keys, actor, action, digest, summary, document, needed=needed, policy=policy
        )
        reason = "a second person must approve this"
        raise Refused(ApprovalRequired(reason, made.id, made.approved, made.needed))
    step = _Step(transaction, keys, actor, policy, "use_approval")
    stored = proposals.hold(transaction, actor.tenant, actor.approval)
    if stored is None or (stored.author, stored.action, stored.digest) != (actor.name, action, digest):
        raise step.refuse(ApprovalNotValid("the proposal is not this caller's, or not of this"), stored)
    one = _shown(transaction, stored)
    if one.state != OPEN:
        raise step.refuse(ApprovalNotValid(f"the proposal is {one.state}"), stored)
    if one.approved < one.needed:
        raise step.refuse(
            ApprovalNotValid(f"{one.approved} of {one.needed} approve the proposal so far"), stored
        )
    return one


def mark(
    transaction: Transaction, keys: TenantKeys, actor: Actor, used: Proposal, *, policy: int = 0
) -> None:
    """Note in the commit of the action that its proposal was used; of two at once, one gets it."""
    step = _Step(transaction, keys, actor, policy, "use_approval")
    if not proposals.end(transaction, used.id, USED):
        raise step.refuse(ApprovalNotValid("the proposal was used"))
    step.note(used.id)


def use(
    transaction: Transaction, keys: TenantKeys, actor: Actor, action: str, digest: bytes, summary: str,
    document: str | None = None, *, needed: int = NEEDED, policy: int = 0,
) -> Proposal:  # fmt: skip
    """Use the approved proposal that the request names; raises what `require` does. What comes after must not fail."""
    one = require(transaction, keys, actor, action, digest, summary, document, needed=needed, policy=policy)
    mark(transaction, keys, actor, one, policy=policy)
    return one


def approve(
    transaction: Transaction, keys: TenantKeys, actor: Actor, proposal_id: str, *, policy: int = 0
) -> Proposal:
    """Approve another person's proposal.

    Raises Refused with UnknownProposal, with SelfApproval, or with ApprovalNotValid where it has ended.
    """
    step = _Step(transaction, keys, actor, policy, "approve")
    stored = step.open(proposal_id)
    everybody = lineage.read(transaction.connection, actor.tenant, transaction.now)
    if everybody.related(actor.name, stored.author):
        error = SelfApproval(
            "nobody approves what they proposed, or a caller that they made or that made them"
        )
        raise step.refuse(error, stored)
    proposals.say(transaction, stored.id, actor.name, APPROVED)
    step.note(stored.id)
    return _shown(transaction, stored)


def reject(
    transaction: Transaction, keys: TenantKeys, actor: Actor, proposal_id: str, *, policy: int = 0
) -> Proposal:
    """Reject another person's proposal, for good; raises what `approve` does."""
    step = _Step(transaction, keys, actor, policy, "reject")
    stored = step.open(proposal_id)
    if stored.author == actor.name:
        raise step.refuse(SelfApproval("nobody judges what they proposed; its author withdraws it"), stored)
    proposals.say(transaction, stored.id, actor.name, REJECTED)
    return step.end(stored, REJECTED)


def withdraw(
    transaction: Transaction, keys: TenantKeys, actor: Actor, proposal_id: str, *, policy: int = 0
) -> Proposal:
    """Withdraw a proposal of one's own; Refused with UnknownProposal for another's."""
    step = _Step(transaction, keys, actor, policy, "withdraw")
    return step.end(step.open(proposal_id, author=actor.name), WITHDRAWN)


def _shown(transaction: Transaction, stored: Stored) -> Proposal:
    connection, now = transaction.connection, transaction.now
    said = proposals.verdicts(connection, [stored.id])[stored.id]
    return shown(stored, said, lineage.read(connection, stored.tenant, now), now)


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation on a proposal, and its audit record."""

    transaction: Transaction
    keys: TenantKeys
    actor: Actor
    policy: int
    operation: str

    def open(self, proposal_id: str, author: str | None = None) -> Stored:
        """Return a proposal that has not ended, held until the commit."""
        stored = proposals.hold(self.transaction, self.actor.tenant, proposal_id)
        if stored is None or author not in {None, stored.author}:
            raise self.refuse(UnknownProposal("no proposal of that id"))
        if stored.state != OPEN or stored.expires_at <= self.transaction.now:
            raise self.refuse(ApprovalNotValid("the proposal has ended"), stored)
        return stored

    def end(self, stored: Stored, state: str) -> Proposal:
        """Move a proposal to its end."""
        proposals.end(self.transaction, stored.id, state)
        self.note(stored.id)
        return _shown(self.transaction, stored._replace(state=state))

    def refuse(self, error: VaultError, stored: Stored | None = None) -> Refused:
        """Record a refusal; return what is to be raised."""
        self.note("" if stored is None else stored.id, str(error.code))
        return Refused(error)

    def note(self, target: str, result: str = "ok") -> None:
        """Write the audit record."""
        good, now = int(result == "ok"), self.transaction.now
        row = journal.row(
            self.keys, self.actor, now, self.operation, result=result, count=good, target=target, policy=self.policy
        )  # fmt: skip
        self.transaction.append("audit_record", [row])
