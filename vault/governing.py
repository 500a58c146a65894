"""What governs callers: the policy in force, what needs a second person, decoys, who is frozen; for every door."""

from __future__ import annotations

from collections.abc import Sequence

from vault import deliberating, explaining, freezing, planting, taking
from vault.columns import Actor, Spec, Tokenized
from vault.deliberating import ProposalPage
from vault.explaining import Explained, Question, Tried
from vault.permitting import permit
from vault.resources import Resources
from vault.standing import Standing
from vault.store import frozen
from vault.store.frozen import Frozen
from vault.store.writer import Transaction
from vault.taking import Checked, PolicyPage, PolicyVersion
from vault.tally import Proposal

FRESH = Spec()


class Governing:
    """Safe to share between threads; every change writes its audit record in its own commit."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._standing = Standing(resources)

    def require_thawed(self, actor: Actor) -> None:
        """Let a caller in, or raise CallerFrozen, or SlowedDown after a sweep; believed for a second."""
        self._standing.require(actor)

    def policy(self, actor: Actor) -> PolicyVersion:
        """Return the policy in force; version 0 is the built-in one."""
        return taking.current(self._resources, actor)

    def policy_version(self, actor: Actor, version: int) -> PolicyVersion:
        """Return one version of the policy; UnknownPolicyVersion if the tenant never took it."""
        return taking.version(self._resources, actor, version)

    def policy_versions(self, actor: Actor, cursor: str | None = None, limit: int = 100) -> PolicyPage:
        """Return up to `limit` (1 to 1,000) versions, the newest first, without their documents."""
        return taking.versions(self._resources, actor, cursor, limit)

    def take_policy(self, actor: Actor, document: str, base: int) -> PolicyVersion:
        """Put a policy in force on top of version `base`; a second person approves exactly this first.

        Raises:
            PolicyInvalid: it cannot be read, one of its cases fails, or under it nobody could change it again.
            PolicyConflict: another one than `base` is in force.
            ApprovalRequired: the proposal is made; ask again with its id in `actor.approval` once it is approved.
            ApprovalNotValid: the proposal named is not one for this.
        """
        return taking.take(self._resources, actor, document, base)

    def check_policy(self, actor: Actor, document: str) -> Checked:
        """Return what would change with a document, and what is probably not meant in it; raise as taking does."""
        return taking.check(self._resources, actor, document)

    def explain(self, actor: Actor, question: Question) -> Explained:
        """Return whether the policy in force would allow something, and by which line.

        Raises UnknownApiKey for an API key that the tenant does not have; InvalidRequest for names that there are not.
        """
        return explaining.explain(self._resources, actor, question)

    def test_policy(self, actor: Actor, document: str | None = None) -> list[Tried]:
        """Run the cases of a document, None for the one in force."""
        return explaining.test(self._resources, actor, document)

    def policy_difference(self, actor: Actor, old: int | None, new: int | str) -> list[str]:
        """Return what callers gain and lose from a version (None: the one in force) to another, or to a document."""
        return explaining.compare(self._resources, actor, old, new)

    def proposals(
        self, actor: Actor, state: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> ProposalPage:
        """Return up to `limit` (1 to 1,000) proposals, the newest first; `state`: only those, see `Proposal.state`."""
        return deliberating.page(self._resources, actor, state, cursor, limit)

    def proposal(self, actor: Actor, proposal_id: str) -> Proposal:
        """Return one proposal with its document; UnknownProposal if there is none of that id."""
        return deliberating.one(self._resources, actor, proposal_id)

    def approve(self, actor: Actor, proposal_id: str) -> Proposal:
        """Approve another person's proposal; UnknownProposal, SelfApproval, or ApprovalNotValid if it has ended."""
        return deliberating.judge(self._resources, actor, "approve", proposal_id)

    def reject(self, actor: Actor, proposal_id: str) -> Proposal:
        """Reject another person's proposal for good; raises what `approve` does."""
        return deliberating.judge(self._resources, actor, "reject", proposal_id)

    def withdraw(self, actor: Actor, proposal_id: str) -> Proposal:
        """Withdraw a proposal of one's own; UnknownProposal for another's."""
        return deliberating.withdraw(self._resources, actor, proposal_id)

    def make_decoys(
        self, actor: Actor, field: str, count: int = 1, values: Sequence[object] | None = None, spec: Spec = FRESH,
        subjects: Sequence[str | None] | None = None,
    ) -> Tokenized:  # fmt: skip
        """Return tokens of decoys: made-up values, or those given, which nobody has a reason to reveal or compare.

        Args:
            count: 1 to 100; not looked at where `values` are given, as many of them.
            spec: how the tokens are made; opaque or shaped, and fresh.
            subjects: whose values they seem to be, as long as the values.
        """
        return planting.plant(self._resources, actor, field, count, values, spec, subjects)

    def frozen_callers(self, actor: Actor) -> list[Frozen]:
        """Return the tenant's frozen callers, the newest first."""
        permit(self._resources, actor, "callers")
        with self._resources.database.read() as connection:
            return frozen.all_of(connection, actor.tenant)

    def freeze(self, actor: Actor, caller: str, reason: str) -> None:
        """Let a caller do nothing any more, within a second everywhere; nothing changes if it is frozen already."""
        freezing.checked(caller, reason)
        given, keys = permit(self._resources, actor, "callers"), self._resources.keyring.keys(actor.tenant)

        def work(transaction: Transaction) -> None:
            freezing.freeze(transaction, keys, actor, caller, reason, policy=given.policy.version)

        self._resources.database.write(work, deadline=actor.deadline)
        self._standing.forget()

    def unfreeze(self, actor: Actor, caller: str) -> None:
        """Let a caller again; UnknownCaller if it is not frozen, SelfApproval if it is, or made, whoever asks."""
        given, keys = permit(self._resources, actor, "callers"), self._resources.keyring.keys(actor.tenant)

        def work(transaction: Transaction) -> None:
            freezing.unfreeze(transaction, keys, actor, caller, policy=given.policy.version)

        self._resources.database.write(work, deadline=actor.deadline)
        self._standing.forget()
