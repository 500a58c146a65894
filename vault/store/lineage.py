"""Whom a tenant's callers stand for: API keys that made each other are in one hand, and count as one person."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from vault.columns import ApiKeyRecord
from vault.store import apikeys, frozen

KEY = "key_"  # how the names of API keys begin; others are of OIDC callers, certificates and local commands


class Lineage:
    """A tenant's API keys at one moment, and who made which.

    Args:
        records: all of the tenant's keys, ended ones too.
        frozen: names of callers that are frozen.
        now: microseconds since 1970.
    """

    def __init__(self, records: Iterable[ApiKeyRecord], frozen: Collection[str], now: int) -> None:
        self._records = {record.id: record for record in records}
        self._frozen, self._now = frozenset(frozen), now

    def key(self, name: str) -> ApiKeyRecord | None:
        """Return the record of an API key; None for another caller."""
        return self._records.get(name)

    def good_keys(self) -> list[ApiKeyRecord]:
        """Return the records of the API keys that are good now."""
        return [record for record in self._records.values() if self.good(record.id)]

    def good(self, name: str) -> bool:
        """Tell whether a caller could act now: neither frozen nor, if it is an API key, revoked or expired.

        Of callers who are no API keys, nothing more is known here than that they are not frozen.
        """
        if name in self._frozen:
            return False
        record = self._records.get(name)
        if record is None:
            return not name.startswith(KEY)
        ended = record.expires_at is not None and record.expires_at * 1e6 <= self._now
        return record.revoked_at is None and not ended

    def makers(self, name: str) -> set[str]:
        """Return who made an API key, who made those, and so on; nobody of another caller."""
        found: set[str] = set()
        left = [name]
        while left:
            record = self._records.get(left.pop())
            makers = set() if record is None else set((record.made_by or "").split()) - found
            found |= makers
            left += makers
        return found

    def related(self, one: str, other: str) -> bool:
        """Tell whether two callers are the same, or one made the other, directly or by keys in between."""
        return one == other or one in self.makers(other) or other in self.makers(one)


def read(connection: Connection, tenant: int, now: int) -> Lineage:
    """Return whom the tenant's callers stand for now (microseconds)."""
    names = [one.caller for one in frozen.all_of(connection, tenant)]
    return Lineage(apikeys.of_tenant(connection, tenant), names, now)
