"""Plain keys in memory: unwrapped in one call, kept for a lease and not a second longer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from typing import TypeVar

from keys.errors import KeyExhausted, UnknownKey, UnknownRoot
from keys.keyset import MAX_MESSAGES, OPENS, Keyset, KeyVersion, Purpose, State, new_key_id, wrapping_context
from keys.provider import KeyStore, RootKey
from keys.secret import Secret

T = TypeVar("T")

LEASE_SECONDS = 900.0
FIRST_BLOCK, LAST_BLOCK = (
    2**12,
    2**20,
)  # messages reserved at once: doubled each time, so a restart wastes few


class OpenKey:
    """One plain key version and what was derived from it; both go when the lease ends."""

    __slots__ = ("__weakref__", "_memo", "active", "id", "secret")

    def __init__(self, key_id: int, secret: Secret, active: bool) -> None:
        self.id, self.secret, self.active = key_id, secret, active
        self._memo: dict[object, object] = {}

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

    __slots__ = ("expires_at", "generation", "tenant", "versions")

    def __init__(
        self, tenant: int, generation: int, versions: dict[Purpose, dict[int, OpenKey]], expires_at: float
    ) -> None:
        self.tenant, self.generation = tenant, generation
        self.versions, self.expires_at = versions, expires_at

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

    def openers(self, purpose: Purpose) -> tuple[OpenKey, ...]:
        """Every version that may still open, the primary first."""
        return tuple(sorted(self.versions.get(purpose, {}).values(), key=lambda key: not key.active))


class Keyring:
    """Opens tenants' keysets on demand and keeps them for a lease; safe to share between threads."""

    def __init__(
        self,
        store: KeyStore,
        roots: Mapping[str, RootKey],
        primary_root: str,
        clock: Callable[[], float],
        lease: float = LEASE_SECONDS,
        max_messages: int = MAX_MESSAGES,
    ) -> None:
        """Args: `clock` gives monotonic seconds; `lease` in seconds; `roots` by name, new keys under `primary_root`."""
        self._store, self._roots, self._primary_root = store, roots, primary_root
        self._clock, self._lease, self._max = clock, lease, max_messages
        self._tenants: dict[int, TenantKeys] = {}
        self._left: dict[int, int] = {}
        self._block: dict[int, int] = {}
        self._lock, self._spending = Lock(), Lock()  # two: reserving messages waits for a commit
        self._forgotten = Event()

    def keys(self, tenant: int) -> TenantKeys:
        """Return the tenant's open keys; UnknownKey if it has none, UnwrapError if its root does not open them."""
        held = self._tenants.get(tenant)
        if held is not None and self._clock() < held.expires_at:
            return held
        return self.reload(tenant)

    def open(self, tenant: int, generation: int, keysets: Mapping[Purpose, Keyset]) -> TenantKeys:
        """Unwrap keysets, one call to each root, without keeping them."""
        until = self._clock() + self._lease
        return TenantKeys(tenant, generation, self._open(tenant, keysets), until)

    def reload(self, tenant: int) -> TenantKeys:
        """Load and unwrap the tenant's keysets again, and keep them for the lease."""
        generation, keysets = self._store.load(tenant)
        if not keysets:
            raise UnknownKey("the tenant has no keysets")
        fresh = self.open(tenant, generation, keysets)
        with self._lock:
            self._tenants = {**self._tenants, tenant: fresh}
        return fresh

    def spend(self, tenant: int, key: OpenKey, messages: int) -> None:
        """Count messages about to be sealed; raise KeyExhausted rather than pass 2**32 over all processes."""
        with self._spending:
            left = self._left.get(key.id, 0)
            if left < messages:
                left += self._reserve(tenant, key.id, messages)
            self._left[key.id] = left - messages

    def create(self, tenant: int, purpose: Purpose, now: float) -> Keyset:
        """Return a keyset with one new active version under the primary root; nothing is stored yet."""
        key_id = new_key_id()
        root = self._roots[self._primary_root]
        wrapped = root.wrap([Secret.random()], [wrapping_context(tenant, purpose, key_id)])[0]
        return Keyset(tenant, purpose, (KeyVersion(key_id, State.ACTIVE, root.name, wrapped, now),))

    def expire(self) -> float:
        """Drop the keys whose lease is over; a request that still works with them drops them last.

        Returns the seconds until the next lease ends, at most a whole lease.
        """
        now = self._clock()
        with self._lock:
            self._tenants = {known: held for known, held in self._tenants.items() if now < held.expires_at}
            return min((held.expires_at - now for held in self._tenants.values()), default=self._lease)

    def expire_in_time(self) -> None:
        """Drop keys when their leases end, even in an idle process, by a thread that lives until `forget`."""

        def watch() -> None:
            while not self._forgotten.wait(max(self.expire(), 0.01)):
                pass

        Thread(target=watch, name="leases", daemon=True).start()

    def forget(self) -> None:
        """Wipe every key in memory."""
        self._forgotten.set()
        with self._lock:
            held, self._tenants = self._tenants, {}
        for tenant in held.values():
            for versions in tenant.versions.values():
                for key in versions.values():
                    key.forget()

    def check_roots(self) -> None:
        """Check that each root answers and may be used; raise what the root raises."""
        for root in self._roots.values():
            root.check()

    def _reserve(self, tenant: int, key_id: int, messages: int) -> int:
        """Reserve a block, twice the last one's size; near the limit the halves that are left."""
        size, growth = self._block.get(key_id, FIRST_BLOCK), 2
        while not self._store.reserve(tenant, key_id, max(size, messages), self._max):
            if size <= messages:
                raise KeyExhausted("the seal key has reached its message limit: rotate its keyset")
            size, growth = size // 2, 1
        self._block[key_id] = min(growth * size, LAST_BLOCK)
        return max(size, messages)

    def _open(self, tenant: int, keysets: Mapping[Purpose, Keyset]) -> dict[Purpose, dict[int, OpenKey]]:
        opened: dict[Purpose, dict[int, OpenKey]] = {purpose: {} for purpose in keysets}
        by_root: dict[str, list[tuple[Purpose, KeyVersion]]] = {}
        for purpose, keyset in keysets.items():
            for version in keyset.versions:
                if version.state in OPENS:
                    by_root.setdefault(version.root, []).append((purpose, version))
        for name, found in by_root.items():
            contexts = [wrapping_context(tenant, purpose, version.id) for purpose, version in found]
            secrets = self._root(name).unwrap([version.wrapped for _, version in found], contexts)
            for (purpose, version), secret in zip(found, secrets, strict=True):
                opened[purpose][version.id] = OpenKey(version.id, secret, version.state is State.ACTIVE)
        return opened

    def _root(self, name: str) -> RootKey:
        try:
            return self._roots[name]
        except KeyError:
            raise UnknownRoot("a key version names a root key that the settings do not list") from None
