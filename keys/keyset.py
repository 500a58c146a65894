"""Keysets: versions of one key with their states; the primary seals, the others only open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from keys.errors import KeyStateError, UnknownKey

MAX_MESSAGES = 2**32  # per AES-GCM key with random 96-bit nonces (SP 800-38D, section 8.3)


class Purpose(StrEnum):
    """What a keyset is for; a key of one purpose never serves another (SP 800-57 Part 1 Rev. 5, section 5.2)."""

    SEAL = "seal"
    INDEX = "index"
    AUDIT = "audit"
    PASSWORD = "password"  # noqa: S105 - seals verifiers of passwords
    ROUTE = "route"  # never rotates: it decides where deterministic rows lie
    MANIFEST = "manifest"  # signs what is said of backups
    BACKUP = "backup"  # opens backups for whoever has the root


SERVICE = 0  # the tenant whose keysets belong to the service itself; no business has this id
OF_SERVICE = (Purpose.MANIFEST, Purpose.BACKUP)
OF_TENANTS = tuple(purpose for purpose in Purpose if purpose not in OF_SERVICE)
TURNS = frozenset({Purpose.SEAL, Purpose.INDEX, Purpose.AUDIT, Purpose.PASSWORD})  # the keysets that rotate
COUNTED = frozenset({Purpose.SEAL, Purpose.PASSWORD})  # those whose messages are counted: they seal


class State(StrEnum):
    """Key states of SP 800-57 Part 1 Rev. 5, section 7.

    A pre-active version seals nothing yet, but is open in every process, so that what the first one seals under it when
    it becomes active opens in all the others.
    """

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    SUSPENDED = "suspended"  # opens nothing until it is resumed
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


OPENS = frozenset({State.PRE_ACTIVE, State.ACTIVE, State.DEACTIVATED, State.COMPROMISED})

_NEXT: Mapping[State, frozenset[State]] = {
    State.PRE_ACTIVE: frozenset({State.ACTIVE, State.DESTROYED}),
    State.ACTIVE: frozenset({State.DEACTIVATED, State.COMPROMISED}),
    State.SUSPENDED: frozenset({State.DEACTIVATED, State.COMPROMISED, State.DESTROYED}),
    State.DEACTIVATED: frozenset({State.SUSPENDED, State.COMPROMISED, State.DESTROYED}),
    State.COMPROMISED: frozenset({State.DESTROYED}),
    State.DESTROYED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version: its 63-bit id, state, the root that wraps it, the wrapped bytes, and times in seconds (UTC).

    Attributes:
        wrapped: empty once the version was destroyed.
        activated_at: since when it seals; None before.
        deactivated_at: since when it seals no more; None before.
        destroy_at: when it will be destroyed; None if that is not planned.
        messages: how many were reserved under it so far.
    """

    id: int
    state: State
    root: str
    wrapped: bytes
    created_at: float
    activated_at: float | None = None
    deactivated_at: float | None = None
    destroy_at: float | None = None
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Keyset:
    """The versions of one tenant's key for one purpose; exactly one is active, the primary."""

    tenant: int
    purpose: Purpose
    versions: tuple[KeyVersion, ...] = ()

    @property
    def primary(self) -> KeyVersion:
        """The one active version; UnknownKey if there is none."""
        for version in self.versions:
            if version.state is State.ACTIVE:
                return version
        raise UnknownKey(f"keyset {self.purpose} has no active version")

    def version(self, key_id: int) -> KeyVersion:
        """The version of that id; UnknownKey if there is none."""
        for version in self.versions:
            if version.id == key_id:
                return version
        raise UnknownKey(f"keyset {self.purpose} has no version of that id")

    def with_version(self, version: KeyVersion) -> Keyset:
        """Return the keyset with `version` added."""
        return replace(self, versions=(*self.versions, version))

    def activated(self, key_id: int, now: float, former: State = State.DEACTIVATED) -> Keyset:
        """Return the keyset with another primary, the former one in state `former`."""
        keyset = self
        for version in self.versions:
            if version.state is State.ACTIVE and version.id != key_id:
                keyset = keyset.turned(version.id, former, now)
        return keyset.turned(key_id, State.ACTIVE, now)

    def turned(self, key_id: int, state: State, now: float) -> Keyset:
        """Return the keyset with one version in another state; KeyStateError if that does not follow on its own."""
        old = self.version(key_id)
        if old.state is state:
            return self
        if state not in _NEXT[old.state]:
            raise KeyStateError(f"a key version that is {old.state} cannot become {state}")
        new = replace(old, state=state)
        if state is State.ACTIVE:
            new = replace(new, activated_at=now, destroy_at=None)
        elif old.state is State.ACTIVE:
            new = replace(new, deactivated_at=now)
        if state is State.DESTROYED:
            new = replace(new, wrapped=b"", destroy_at=None)
        return self.put(new)

    def put(self, version: KeyVersion) -> Keyset:
        """Return the keyset with `version` in the place of the one of its id."""
        return replace(self, versions=tuple(version if v.id == version.id else v for v in self.versions))


def new_key_id() -> int:
    """Return a random key id, 1 to 2**63 - 1, so that ids of restored databases never clash."""
    return secrets.randbelow(2**63 - 1) + 1


def wrapping_context(tenant: int, purpose: str, key_id: int) -> bytes:
    """Return the bytes that a wrapped key is bound to: 'strongroom/1', tenant (8), key id (8), purpose."""
    return b"strongroom/1" + tenant.to_bytes(8, "big") + key_id.to_bytes(8, "big") + purpose.encode()
