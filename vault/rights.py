"""The roles of a caller, and what they let one do that carries nothing of its own: who came by token or certificate."""

from __future__ import annotations

from collections.abc import Collection

from vault.columns import EVERYBODYS, CallerKind
from vault.policy.policy import Policy
from vault.resources import Resources

NOTHING: frozenset[str] = frozenset()
CERTIFICATE = "certificate"  # the claim under which `Actor.claims` has the names of a certificate
CARRYING: frozenset[CallerKind] = frozenset({"key", "local"})  # kinds of callers with operations of their own


def roles(
    policy: Policy, name: str, kind: CallerKind, stored: Collection[str], claims: Collection[tuple[str, str]]
) -> frozenset[str]:
    """Return the roles of a caller under a policy.

    The built-in policy leaves to callers what they carry: whoever carries nothing has no role in it.

    Args:
        name, kind, claims: as `Actor` has them.
        stored: the roles that its API key has.
    """
    if policy.version == 0 and kind not in CARRYING:
        return NOTHING
    named = [value for claim, value in claims if claim == CERTIFICATE] if kind == CERTIFICATE else ()
    return policy.roles_of(name, stored, claims, frozenset(named))


def operations(
    resources: Resources, tenant: int, name: str, kind: CallerKind, claims: Collection[tuple[str, str]]
) -> frozenset[str]:
    """Return the operations that the tenant's policy grants a caller that carries none.

    None of those on all tenants at once, whatever it says: a policy is its tenant's own.
    """
    policy = resources.policies.of(tenant)
    return policy.operations_of(roles(policy, name, kind, (), claims)) - EVERYBODYS
