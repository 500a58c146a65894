"""Keysets: versions of one key with their states; the primary seals, the others only open."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from enum import StrEnum

from keys.errors import UnknownKey

MAX_MESSAGES = 2**32  # per AES-GCM key with random 96-bit nonces (SP 800-38D, section 8.3)


class Purpose(StrEnum):
    """What a keyset is for; a key of one purpose never serves another (SP 800-57 Part 1 Rev. 5, section 5.2)."""

    SEAL = "seal"
    INDEX = "index"
    AUDIT = "audit"
    ROUTE = "route"  # never rotates: it decides where deterministic rows lie


class State(StrEnum):
    """Key states of SP 800-57 Part 1 Rev. 5, section 7."""

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


OPENS = frozenset({State.ACTIVE, State.DEACTIVATED, State.COMPROMISED})


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """One version: its 63-bit id, state, the root that wraps it, the wrapped bytes, and times in seconds (UTC)."""

    id: int
    state: State
    root: str
    wrapped: bytes
    created_at: float


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

    def with_version(self, version: KeyVersion) -> Keyset:
        """Return the keyset with `version` added, and the former primary deactivated if `version` is active."""
        kept = self.versions
        if version.state is State.ACTIVE:
            kept = tuple(replace(v, state=State.DEACTIVATED) if v.state is State.ACTIVE else v for v in kept)
        return replace(self, versions=(*kept, version))


def new_key_id() -> int:
    """Return a random key id, 1 to 2**63 - 1, so that ids of restored databases never clash."""
    return secrets.randbelow(2**63 - 1) + 1


def wrapping_context(tenant: int, purpose: str, key_id: int) -> bytes:
    """Return the bytes that a wrapped key is bound to: 'strongroom/1', tenant (8), key id (8), purpose."""
    return b"strongroom/1" + tenant.to_bytes(8, "big") + key_id.to_bytes(8, "big") + purpose.encode()
