"""Plain keys in memory: one version, and all of a tenant at one generation, until their lease ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from keys.errors import UnknownKey
from keys.keyset import Purpose, State
from keys.secret import Secret

T = TypeVar("T")


class OpenKey:
    """One plain key version and what was derived from it; both go when the lease ends."""

    __slots__ = ("__weakref__", "_memo", "activated_at", "id", "secret", "state")

    def __init__(
        self, key_id: int, secret: Secret, state: State = State.ACTIVE, activated_at: float | None = None
    ) -> None:
        self.id, self.secret, self.state, self.activated_at = key_id, secret, state, activated_at
        self._memo: dict[object, object] = {}

    @property
    def active(self) -> bool:
        """Whether it is its keyset's primary."""
        return self.state is State.ACTIVE

    def derived(self, name: object, make: Callable[[bytes], T]) -> T:
        """Return `make(key bytes)`, made once under `name`; at most 4,096 names are kept."""
        found = self._memo.get(name)
        if found is None:
            if len(self._memo) >= 4096:
                self._memo.clear()
            found = self._memo[name] = make(self.secret.expose())
        return found  # type: ignore[return-value]

    def forget(self) -> None:
        """Drop the key, which wipes itself, and what was derived from it."""
        self._memo.clear()
        self.secret.wipe()


class TenantKeys:
    """All open keys of one tenant at one generation."""

    __slots__ = ("expires_at", "generation", "tenant", "used", "versions")

    def __init__(
        self, tenant: int, generation: int, versions: dict[Purpose, dict[int, OpenKey]], expires_at: float
    ) -> None:
        self.tenant, self.generation = tenant, generation
        self.versions, self.expires_at, self.used = versions, expires_at, True

    def primary(self, purpose: Purpose) -> OpenKey:
        """The key that seals; UnknownKey if the keyset has none."""
        for key in self.versions.get(purpose, {}).values():
            if key.active:
                return key
        raise UnknownKey(f"keyset {purpose} has no active version")

    def version(self, purpose: Purpose, key_id: int) -> OpenKey:
        """The version of that id, if it may open; UnknownKey otherwise."""
        try:
            return self.versions[purpose][key_id]
        except KeyError:
            raise UnknownKey(f"keyset {purpose} has no such version that opens") from None

    def by_age(self, purpose: Purpose) -> tuple[OpenKey, ...]:
        """Every version that may still open, the oldest first."""
        return tuple(self.versions.get(purpose, {}).values())

    def openers(self, purpose: Purpose) -> tuple[OpenKey, ...]:
        """Every version that may still open, the primary first."""
        return tuple(sorted(self.versions.get(purpose, {}).values(), key=lambda key: not key.active))
