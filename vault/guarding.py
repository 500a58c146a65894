"""No policy locks everybody out: after it is in force, two people must be able to propose and approve the next one.

Counted are API keys that are good now, of different lines, and callers whom the document names by OIDC or certificate:
of those, nobody here knows whether they exist, but whoever wrote the document does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from vault.columns import Mode
from vault.errors import PolicyInvalid
from vault.policy.policy import Policy
from vault.store.lineage import KEY, Lineage

PROPOSE, APPROVE = "policy", "approve"  # of `columns.OPERATIONS`

_Who = tuple[str, frozenset[str]]  # a caller's name and what it could do of the two


def require_way_out(policy: Policy, mode: Mode, everybody: Lineage) -> None:
    """Raise PolicyInvalid where fewer than two people could propose and approve the policy after this one.

    What could be done at some time, from some place, counts: nobody looks at the clock here.
    """
    able = list(_able(policy, mode, everybody))
    proposers = [name for name, may in able if PROPOSE in may]
    approvers = [name for name, may in able if APPROVE in may]
    if any(not everybody.related(one, other) for one, other in product(proposers, approvers)):
        return
    raise PolicyInvalid(
        "under it fewer than two people could change it again: one with the operation policy and another with approve"
    )


def lonely(policy: Policy, mode: Mode, everybody: Lineage) -> list[str]:
    """Return the API keys that could make others and approve: with one of those, one person could be two."""
    return [
        record.id
        for record in everybody.good_keys()
        if {APPROVE, "apikeys"} <= set(record.operations)
        and all(
            _could(policy, policy.roles_of(record.id, record.roles), one, mode)
            for one in (APPROVE, "apikeys")
        )
    ]


def _able(policy: Policy, mode: Mode, everybody: Lineage) -> Iterator[_Who]:
    """Yield who could propose or approve. A claim, or a pattern, is had by several: they stand for two people."""
    for record in everybody.good_keys():
        roles = policy.roles_of(record.id, record.roles)
        yield record.id, _may(policy, roles, mode) & frozenset(record.operations)
    holders = policy.holders
    for grant in (*holders.callers, *holders.claims, *holders.certificates):
        may = _may(policy, frozenset(grant.roles), mode)
        if grant.name == "*" or grant.name.startswith(KEY) or not everybody.good(grant.name):
            continue  # API keys were counted one by one
        yield f"line {grant.line}", may
        if grant.value or "*" in grant.name:
            yield f"line {grant.line}, somebody else", may


def _may(policy: Policy, roles: frozenset[str], mode: Mode) -> frozenset[str]:
    return frozenset(operation for operation in (PROPOSE, APPROVE) if _could(policy, roles, operation, mode))


def _could(policy: Policy, roles: frozenset[str], operation: str, mode: Mode) -> bool:
    rules = [
        rule
        for rule in policy.rules_of(roles)
        if rule.speaks_of(operation, "", "") and (not rule.when.modes or mode in rule.when.modes)
    ]
    always = (rule for rule in rules if not (rule.when.asks_time or rule.when.networks))
    return any(rule.allows for rule in rules) and all(rule.allows for rule in always)
