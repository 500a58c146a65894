"""Whom a tenant's callers stand for: API keys that made each other are in one hand, and count as one person.

A key that takes another's place by rotation is the same caller under a new name: what the one made, the other made, and
where one is frozen, so is the other.
"""

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
        self._frozen, self._now = frozenset(map(self.origin, frozen)), now

    def key(self, name: str) -> ApiKeyRecord | None:
        """Return the record of an API key; None for another caller."""
        return self._records.get(name)

    def good_keys(self) -> list[ApiKeyRecord]:
        """Return the records of the API keys that are good now."""
        return [record for record in self._records.values() if self.good(record.id)]

    def origin(self, name: str) -> str:
        """Return the first of the API keys that took each other's place up to this one; another caller itself."""
        passed = {name}
        while len(words := self._made_by(name)) == 2 and words[0] not in passed:
            name = words[0]
            passed.add(name)
        return name

    def frozen(self, name: str) -> bool:
        """Tell whether a caller is frozen, under this name or under one before or after a rotation."""
        return self.origin(name) in self._frozen

    def good(self, name: str) -> bool:
        """Tell whether a caller could act now: neither frozen nor, if it is an API key, revoked or expired.

        Of callers who are no API keys, nothing more is known here than that they are not frozen.
        """
        if self.frozen(name):
            return False
        record = self._records.get(name)
        if record is None:
            return not name.startswith(KEY)
        ended = record.expires_at is not None and record.expires_at * 1e6 <= self._now
        return record.revoked_at is None and not ended

    def stands_for(self, one: str, other: str) -> bool:
        """Tell whether a caller is another, or was made by it, by those that it made, and so on."""
        origin, left, passed = self.origin(other), [one], set[str]()
        while left:
            name = left.pop()
            if self.origin(name) == origin:
                return True
            passed.add(name)
            left += [maker for maker in self._made_by(name) if maker not in passed]
        return False

    def related(self, one: str, other: str) -> bool:
        """Tell whether two callers are the same, or one made the other, directly or by keys in between."""
        return self.stands_for(one, other) or self.stands_for(other, one)

    def _made_by(self, name: str) -> list[str]:
        """Return who made an API key; after a rotation two: the key before it, and who rotated that."""
        record = self._records.get(name)
        return [] if record is None else (record.made_by or "").split()


def read(connection: Connection, tenant: int, now: int) -> Lineage:
    """Return whom the tenant's callers stand for now (microseconds)."""
    names = [one.caller for one in frozen.all_of(connection, tenant)]
    return Lineage(apikeys.of_tenant(connection, tenant), names, now)


def stopped(connection: Connection, tenant: int, name: str, now: int) -> bool:
    """Tell whether a caller is frozen; API keys are read only where one of them is."""
    names = [one.caller for one in frozen.all_of(connection, tenant)]
    if name in names or not name.startswith(KEY) or not any(one.startswith(KEY) for one in names):
        return name in names
    return Lineage(apikeys.of_tenant(connection, tenant), names, now).frozen(name)
