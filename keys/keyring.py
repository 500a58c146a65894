"""Plain keys in memory: unwrapped in one call, kept for a lease and not a second longer."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from threading import Event, Lock, Thread

from keys.errors import KeyExhausted, KeyExpired, KeyProblem, UnknownKey, UnknownRoot, UnwrapError
from keys.keyset import MAX_MESSAGES, OPENS, Keyset, KeyVersion, Purpose, State, new_key_id, wrapping_context
from keys.openkeys import OpenKey, TenantKeys
from keys.provider import KeyStore, RootKey
from keys.secret import Secret

LEASE_SECONDS = 900.0
# Two years: originator use of a data key (SP 800-57 Part 1 Rev. 5, 5.3.6).
CRYPTOPERIOD_SECONDS = 63_072_000.0
ROOT_CHECK_SECONDS = 2.0  # how long the outcome of asking a root whether it works is believed
# Messages reserved at once: doubled each time, so a restart wastes few.
FIRST_BLOCK, LAST_BLOCK = 2**12, 2**20


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
        cryptoperiod: float = CRYPTOPERIOD_SECONDS,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Open keysets of `store` under `roots`.

        Args:
            roots: by name; a new tenant's keysets are wrapped under `primary_root`.
            clock: monotonic seconds, in which `lease` counts.
            max_messages: how many messages one key may seal; `cryptoperiod`: for how many seconds.
            wall: seconds since 1970 (UTC).
        """
        self._store, self.roots, self.primary_root = store, roots, primary_root
        self._clock, self._lease, self.max_messages = clock, lease, max_messages
        self.cryptoperiod, self._wall = cryptoperiod, wall
        self._tenants: dict[int, TenantKeys] = {}
        self._left: dict[int, int] = {}
        self._block: dict[int, int] = {}
        self._lock, self._spending = Lock(), Lock()  # two: reserving messages waits for a commit
        self._loading: dict[int, Lock] = defaultdict(Lock)
        self._loads, self._newest = count(), dict[int, int]()  # by tenant: which load the keys held are of
        self._checked: tuple[float, dict[str, KeyProblem | None]] = (float("-inf"), {})
        self._forgotten = Event()

    def keys(self, tenant: int) -> TenantKeys:
        """Return the tenant's open keys; UnknownKey if it has none, UnwrapError if its root does not open them."""
        held = self._held(tenant)
        if held is not None:
            return held
        with self._lock:
            turn = self._loading[tenant]
        with turn:  # one asks the root, the others wait for what it gets
            return self._held(tenant) or self.reload(tenant)

    def _held(self, tenant: int) -> TenantKeys | None:
        held = self._tenants.get(tenant)
        if held is None or self._clock() >= held.expires_at:
            return None
        held.used = True
        return held

    def open(self, tenant: int, generation: int, keysets: Mapping[Purpose, Keyset]) -> TenantKeys:
        """Unwrap keysets, one call to each root, without keeping them."""
        until = self._clock() + self._lease
        return TenantKeys(tenant, generation, self._open(tenant, keysets), until)

    def whole(self, tenant: int) -> TenantKeys:
        """Unwrap every version that is not destroyed, also suspended ones, for who keeps them elsewhere; keep none."""
        generation, keysets = self._store.load(tenant)
        opened = self._open(tenant, keysets, OPENS | {State.SUSPENDED})
        return TenantKeys(tenant, generation, opened, self._clock())

    def reload(self, tenant: int) -> TenantKeys:
        """Load and unwrap the tenant's keysets again, and keep them for the lease."""
        number = next(self._loads)
        try:
            fresh = self._load(tenant)
        except UnwrapError:  # the root's key turned, and its old version went, between the two steps
            fresh = self._load(tenant)
        with self._lock:
            # A load that began later may have ended sooner, and what it saw is newer.
            if number > self._newest.get(tenant, -1) and not self._forgotten.is_set():
                self._newest[tenant] = number
                self._tenants = {**self._tenants, tenant: fresh}
        return fresh

    def _load(self, tenant: int) -> TenantKeys:
        generation, keysets = self._store.load(tenant)
        if not keysets:
            raise UnknownKey("the tenant has no keysets")
        try:
            return self.open(tenant, generation, keysets)
        except KeyProblem:
            held = self._rearranged(tenant, generation, keysets)
            if held is None:
                raise
            return held

    def _rearranged(
        self, tenant: int, generation: int, keysets: Mapping[Purpose, Keyset]
    ) -> TenantKeys | None:
        """Return the keys held as the keysets have them now, until the lease ends; None if one of them is not held.

        Versions become active, or are taken out of use, while the root that wraps them is away: that stops nobody who
        has their keys.
        """
        held = self._tenants.get(tenant)
        if held is None or held.generation == generation or self._clock() >= held.expires_at:
            return None
        versions: dict[Purpose, dict[int, OpenKey]] = {purpose: {} for purpose in keysets}
        for purpose, keyset in keysets.items():
            known = held.versions.get(purpose, {})
            for version in keyset.versions:
                if version.state not in OPENS:
                    continue
                if version.id not in known:
                    return None
                secret = known[version.id].secret
                versions[purpose][version.id] = OpenKey(
                    version.id, secret, version.state, version.activated_at
                )
        return TenantKeys(tenant, generation, versions, held.expires_at)

    def changed(self, keys: TenantKeys) -> bool:
        """Whether the tenant's keysets changed since these keys were loaded."""
        return self._store.generations([keys.tenant]).get(keys.tenant) != keys.generation

    def refresh(self, tenant: int) -> bool:
        """Load the tenant's keysets again if they changed since; return whether they had."""
        held = self._tenants.get(tenant)
        if held is not None and not self.changed(held):
            return False
        self.reload(tenant)
        return True

    def loaded(self) -> dict[int, int]:
        """Return the generation held of each tenant whose keys are in memory."""
        now = self._clock()
        return {known: held.generation for known, held in self._tenants.items() if now < held.expires_at}

    def lease_left(self) -> float | None:
        """Return the seconds until the first lease in memory ends; None if no key is held."""
        now = self._clock()
        left = [held.expires_at - now for held in self._tenants.values() if now < held.expires_at]
        return min(left, default=None)

    def keep_up(self) -> None:
        """Load anew what changed in the store, and what is in use and has less than half of its lease left.

        So an outage of a root that begins now leaves at least half a lease. A root that does not answer is asked again
        next time; raises only what the store raises.
        """
        now, generations = self._clock(), self._store.generations(list(self.loaded()))
        for tenant, held in list(self._tenants.items()):
            stale = generations.get(tenant, held.generation) != held.generation
            if stale or (held.used and held.expires_at - now < self._lease / 2):
                try:
                    self.reload(tenant).used = False
                except KeyProblem:
                    continue

    def spend(self, tenant: int, key: OpenKey, messages: int) -> None:
        """Count messages about to be sealed.

        Raises:
            KeyExhausted: they would pass the key's limit, over all processes.
            KeyExpired: its cryptoperiod is over.
        """
        if key.activated_at is not None and self._wall() - key.activated_at > self.cryptoperiod:
            raise KeyExpired("the key's cryptoperiod is over: rotate its keyset")
        with self._spending:
            left = self._left.get(key.id, 0)
            if left < messages:
                left += self._reserve(tenant, key.id, messages)
            self._left[key.id] = left - messages

    def create(self, tenant: int, purpose: Purpose, now: float) -> Keyset:
        """Return a keyset with one new active version under the primary root; nothing is stored yet."""
        version = self._new(tenant, purpose, self.primary_root, State.ACTIVE, now)
        return Keyset(tenant, purpose, (version,))

    def add(self, keyset: Keyset, now: float) -> KeyVersion:
        """Return a new pre-active version for a keyset, under its primary's root; nothing is stored yet."""
        return self._new(keyset.tenant, keyset.purpose, keyset.primary.root, State.PRE_ACTIVE, now)

    def _new(self, tenant: int, purpose: Purpose, root: str, state: State, now: float) -> KeyVersion:
        key_id = new_key_id()
        context = wrapping_context(tenant, purpose, key_id)
        wrapped = self.root(root).wrap([Secret.random()], [context])[0]
        activated = now if state is State.ACTIVE else None
        return KeyVersion(key_id, state, root, wrapped, now, activated_at=activated)

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

    def check_roots(self) -> dict[str, KeyProblem | None]:
        """Return for each root by name None, or why it does not work; asked at most every two seconds."""
        at, known = self._checked
        if self._clock() - at < ROOT_CHECK_SECONDS:
            return known
        found = {name: _problem(root) for name, root in self.roots.items()}
        self._checked = self._clock(), found
        return found

    def _reserve(self, tenant: int, key_id: int, messages: int) -> int:
        """Reserve a block, twice the last one's size; near the limit the halves that are left."""
        size, growth = self._block.get(key_id, FIRST_BLOCK), 2
        while not self._store.reserve(tenant, key_id, max(size, messages), self.max_messages):
            if size <= messages:
                raise KeyExhausted("the key has reached its message limit: rotate its keyset")
            size, growth = size // 2, 1
        self._block[key_id] = min(growth * size, LAST_BLOCK)
        return max(size, messages)

    def _open(
        self, tenant: int, keysets: Mapping[Purpose, Keyset], states: frozenset[State] = OPENS
    ) -> dict[Purpose, dict[int, OpenKey]]:
        opened: dict[Purpose, dict[int, OpenKey]] = {purpose: {} for purpose in keysets}
        by_root: dict[str, list[tuple[Purpose, KeyVersion]]] = {}
        for purpose, keyset in keysets.items():
            for version in keyset.versions:
                if version.state in states:
                    by_root.setdefault(version.root, []).append((purpose, version))
        for name, found in by_root.items():
            contexts = [wrapping_context(tenant, purpose, version.id) for purpose, version in found]
            secrets = self.root(name).unwrap([version.wrapped for _, version in found], contexts)
            for (purpose, version), secret in zip(found, secrets, strict=True):
                key = OpenKey(version.id, secret, version.state, version.activated_at)
                opened[purpose][version.id] = key
        return opened

    def root(self, name: str) -> RootKey:
        """Return the root of that name; UnknownRoot if the settings do not list it."""
        try:
            return self.roots[name]
        except KeyError:
            raise UnknownRoot("a key version names a root key that the settings do not list") from None


def _problem(root: RootKey) -> KeyProblem | None:
    try:
        root.check()
    except KeyProblem as problem:
        return problem
    return None
