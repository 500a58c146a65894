"""Each tenant's policy, compiled once a version and looked for at most once a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vault.errors import PolicyInvalid, PolicyUnreadable
from vault.policy.built_in import BUILT_IN
from vault.policy.document import read
from vault.policy.policy import Policy
from vault.store import policies
from vault.store.database import Database

KEPT_SECONDS = 1.0  # how long a policy is believed to be the newest
KEPT_TENANTS = 4_096


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found of a tenant, and until when (monotonic seconds) it is believed; no policy: it cannot be read."""

    until: float
    version: int
    policy: Policy | None


class PolicyBook:
    """The policies in force, one a tenant; safe to share between threads."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        """Args: `monotonic` gives seconds, by which what is kept grows old."""
        self._database, self._monotonic = database, monotonic
        self._kept: dict[int, _Kept] = {}

    def of(self, tenant: int) -> Policy:
        """Return the tenant's policy in force, `BUILT_IN` where it has none; at most a second behind.

        Raises PolicyUnreadable if the one that is stored does not compile: then nothing is let through.
        """
        kept, now = self._kept.get(tenant), self._monotonic()
        if kept is None or kept.until <= now:
            kept = self._look(tenant, kept, now + KEPT_SECONDS)
        if kept.policy is None:
            raise PolicyUnreadable(
                f"version {kept.version} of the policy cannot be read; nothing is let through"
            )
        return kept.policy

    def forget(self, tenant: int) -> None:
        """Look for the tenant's policy anew: another one was just taken."""
        self._kept.pop(tenant, None)

    def _look(self, tenant: int, kept: _Kept | None, until: float) -> _Kept:
        with self._database.read() as connection:
            version, document = policies.newest(connection, tenant) or (0, "")
        if kept is not None and kept.version == version:
            found = _Kept(until, version, kept.policy)
        else:
            found = _Kept(until, version, _compiled(version, document))
        if len(self._kept) >= KEPT_TENANTS and tenant not in self._kept:
            self._kept = {}
        self._kept[tenant] = found
        return found


def _compiled(version: int, document: str) -> Policy | None:
    if version == 0:
        return BUILT_IN
    try:
        return read(document, version, tested=False)
    except PolicyInvalid:
        return None
