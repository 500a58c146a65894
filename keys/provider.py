"""What the outside world must offer: a root key that wraps, and a store that keeps keysets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from keys.keyset import Keyset, Purpose
from keys.secret import Secret


class RootKey(Protocol):
    """Wraps keys under a root that never leaves its provider; every call takes a column.

    `context` names what a key is for; a wrapped key opens only under the context it was wrapped with.
    """

    @property
    def name(self) -> str:
        """Names this root in each key version that it wraps; stable, at most 128 characters."""
        ...

    def wrap(self, keys: Sequence[Secret], contexts: Sequence[bytes]) -> list[bytes]:
        """Return each key wrapped under its context."""
        ...

    def unwrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        """Return the keys; raise UnwrapError if any does not open under its context."""
        ...

    def check(self) -> None:
        """Prove at little cost that the root answers and may be used; raise what is wrong."""
        ...

    def close(self) -> None:
        """End threads and connections; the root is not used again."""
        ...


@runtime_checkable
class TurningRoot(RootKey, Protocol):
    """A root whose own key has versions, numbered from 1; it wraps under the newest and opens under those kept."""

    def latest(self) -> int:
        """Return the newest version of the root's own key."""
        ...

    def turn(self) -> int:
        """Make a new version and return its number."""
        ...

    def version_of(self, wrapped: bytes) -> int:
        """Return the version that `wrapped` names; UnwrapError if it is no wrapped key of this kind of root."""
        ...

    def rewrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[bytes]:
        """Return each key wrapped under the newest version; the plain keys never leave the root.

        Repeating it does no harm. Raises UnwrapError if any does not open under its context.
        """
        ...

    def retire_before(self, version: int) -> None:
        """Let versions before `version` neither open nor wrap from now on; repeating it does no harm."""
        ...


class KeyStore(Protocol):
    """Keeps keysets; a tenant's keysets share one generation, which every change raises."""

    def load(self, tenant: int) -> tuple[int, dict[Purpose, Keyset]]:
        """Return the tenant's generation and all its keysets; an empty dict if there is no such tenant."""
        ...

    def generations(self, tenants: Sequence[int]) -> dict[int, int]:
        """Return the current generation of each of these tenants."""
        ...

    def save(self, tenant: int, keyset: Keyset, expected: int) -> int:
        """Store `keyset` durably and return the new generation; raise KeysetChanged unless it was `expected`."""
        ...

    def reserve(self, tenant: int, key_id: int, messages: int, limit: int) -> bool:
        """Count `messages` more on a key, durably; return False and count nothing if that would pass `limit`."""
        ...
