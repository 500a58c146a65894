"""What a caller may that carries nothing of its own, one known by a token or certificate: what the policy grants it."""

from __future__ import annotations

from vault.columns import CallerKind
from vault.resources import Resources

NOTHING: frozenset[str] = frozenset()
CERTIFICATE = "certificate"  # the claim under which `Actor.claims` has the names of a certificate


def operations(
    resources: Resources, tenant: int, name: str, kind: CallerKind, claims: frozenset[tuple[str, str]]
) -> frozenset[str]:
    """Return the operations that the roles of a caller have; none where the tenant has no policy of its own.

    The built-in policy leaves to API keys what they carry: whoever carries nothing has nothing of it.
    """
    policies = getattr(resources, "policies", None)
    if policies is None:
        return NOTHING
    policy = policies.of(tenant)
    if policy.version == 0:
        return NOTHING
    roles = policy.roles_of(name, NOTHING, claims, certificates(kind, claims))
    return frozenset(policy.operations_of(roles))


def certificates(kind: CallerKind, claims: frozenset[tuple[str, str]]) -> frozenset[str]:
    """Return the names that a caller's certificate has among those that come in."""
    if kind != CERTIFICATE:
        return NOTHING
    return frozenset(name for claim, name in claims if claim == CERTIFICATE)
