"""Who asks, of whichever kind, ready to be asked what it may: what is kept of a caller for a second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from vault.columns import ApiKeyRecord, CallerKind, Mode

Claims = frozenset[tuple[str, str]]

NOTHING: frozenset[str] = frozenset()
NO_CLAIMS: Claims = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller of one tenant.

    Attributes:
        name: for audit and log: an API key's public id, or see api.callers.names.
        operations: an API key's own; of others those that the policy grants their roles.
        fields: the field types an API key reaches; None for all.
        roles, claims, subject: see vault.columns.Actor.
        since, until: good from and before these times, in seconds since 1970 (UTC).
        why: the code of what is wrong with it apart from its times, for the log; "" for nothing.
    """

    tenant: int
    mode: Mode
    name: str
    operations: frozenset[str]
    fields: frozenset[str] | None = None
    kind: CallerKind = "key"
    roles: frozenset[str] = NOTHING
    claims: Claims = NO_CLAIMS
    subject: str | None = None
    since: float = -inf
    until: float = inf
    why: str = ""

    @property
    def may_any(self) -> bool:
        """Whether it may do what every good caller may: one to whom the policy gives nothing may not even that."""
        return self.kind == "key" or bool(self.operations)

    def beside(self, other: Caller) -> Caller:
        """Return this caller, good only while the other one of the same request is."""
        since, until = max(self.since, other.since), min(self.until, other.until)
        return replace(self, since=since, until=until, why=self.why or other.why)

    def good(self, now: float) -> bool:
        """Tell whether it may come in at `now`, seconds since 1970."""
        return self.since <= now < self.until and not self.why


def of_key(record: ApiKeyRecord) -> Caller:
    """Return the caller that has an API key, good or not."""
    until = inf if record.expires_at is None else record.expires_at
    return Caller(
        record.tenant, record.mode, record.id, frozenset(record.operations),
        None if record.fields is None else frozenset(record.fields), roles=frozenset(record.roles), until=until,
        why="" if record.revoked_at is None else "revoked",
    )  # fmt: skip
