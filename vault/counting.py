"""What a request costs its caller: misses, decoys, budget, approval; settled in the commit that puts it on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keys.openkeys import TenantKeys
from vault import approvals, decoys, spending, sweeping
from vault.audit import journal
from vault.errors import VaultError
from vault.permitting import Permit
from vault.policy.model import Budget
from vault.resources import record
from vault.store.writer import Refused, Transaction

SPENT = frozenset({"full", "last4"})  # views that budgets and the limit of bulk count
Bulk = tuple[str, bytes, str]  # action, digest and summary of `bound.bulk`
_ANY_NUMBER = Budget()


@dataclass(frozen=True, slots=True, repr=False)
class Cost:
    """What is counted of one request.

    Attributes:
        misses: tokens that there are not, and guesses that were wrong.
        decoys: the field of each decoy that was touched.
        values: those that the caller is about to see, in a view that counts.
        bulk: what a second person must approve, if that is so.
    """

    misses: int = 0
    decoys: Sequence[str] = ()
    values: int = 0
    bulk: Bulk | None = None


def settle(given: Permit, keys: TenantKeys, cost: Cost, row: journal.Row, asked: int) -> None:
    """Count it and put it on record, or put on record why not: nothing may be answered before, or if this raises.

    Args:
        row: the audit record of the request, carried out.
        asked: tokens named, for the record of a refusal.
    Raises:
        ApprovalRequired, ApprovalNotValid: so much at once needs a second person.
        BudgetExceeded: the caller has seen as much as it may.
    """
    budget = given.policy.budget_of(given.situation.roles) if cost.values else _ANY_NUMBER
    if not (cost.misses or cost.decoys or cost.bulk) and budget == _ANY_NUMBER:
        return record(
            given.resources, given.actor, row
        )  # nothing but appended: shares its statement with others

    def work(transaction: Transaction) -> None:
        sweeping.miss(transaction, keys, given.actor, given.policy.sweep, cost.misses)
        try:
            _take(given, keys, cost, budget, transaction)
        except Refused as refused:
            code = str(getattr(refused.error, "code", VaultError.code))
            said = given.row(keys, transaction.now, result=code, refused=asked)
            transaction.append("audit_record", [said])
            raise
        _alarm(given, keys, cost, transaction)
        transaction.append("audit_record", [row])

    return given.resources.database.write(work, deadline=given.actor.deadline)


def missed(given: Permit, keys: TenantKeys, error: VaultError, operation: str) -> VaultError:
    """Return what is raised where a login that was named does not exist: counted and on record, as unknown tokens are.

    Args:
        operation: as the audit calls it.
    """
    now = given.resources.database.now()
    row = given.row(keys, now, operation=operation, result=error.code, refused=1)
    settle(given, keys, Cost(misses=1), row, 1)
    return error


def _take(given: Permit, keys: TenantKeys, cost: Cost, budget: Budget, transaction: Transaction) -> None:
    """Use the approval and the budget: the former is looked at first and used up last."""
    actor, version = given.actor, given.policy.version
    used = None
    if cost.bulk is not None:
        used = approvals.require(transaction, keys, actor, *cost.bulk, policy=version)
    spending.spend(transaction, keys, actor, budget, cost.values)
    if used is not None:
        approvals.mark(transaction, keys, actor, used, policy=version)


def _alarm(given: Permit, keys: TenantKeys, cost: Cost, transaction: Transaction) -> None:
    there = given.situation
    decoys.touched(
        transaction, keys, given.actor, there.operation, cost.decoys,
        purpose=there.purpose, stop=given.policy.decoys_freeze, policy=given.policy.version,
    )  # fmt: skip
