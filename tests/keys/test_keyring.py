"""The keyring: one unwrap call, a lease to the second, and never more than 2**32 messages a key."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic, sleep

import pytest

from keys.errors import KeyExhausted, KeyExpired, UnknownKey, UnknownRoot, UnwrapError
from keys.keyring import Keyring
from keys.keyset import Keyset, KeyVersion, Purpose, State, new_key_id, wrapping_context
from keys.providers import memory
from keys.secret import Secret
from keys.wrapping import AeadRoot


class Counted:
    """A root that counts its calls."""

    def __init__(self) -> None:
        self.root = memory.create()
        self.name = self.root.name
        self.unwraps = 0

    def wrap(self, keys: Sequence[Secret], contexts: Sequence[bytes]) -> list[bytes]:
        return self.root.wrap(keys, contexts)

    def unwrap(self, wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        self.unwraps += 1
        return self.root.unwrap(wrapped, contexts)

    def check(self) -> None:
        self.root.check()

    def close(self) -> None:
        self.root.close()


class Shelf:
    """A key store in memory, with its own count of messages."""

    def __init__(self) -> None:
        self.keysets: dict[int, dict[Purpose, Keyset]] = {}
        self.generation = 1
        self.messages: dict[int, int] = {}
        self.reservations = 0

    def load(self, tenant: int) -> tuple[int, dict[Purpose, Keyset]]:
        return self.generation, dict(self.keysets.get(tenant, {}))

    def generations(self, tenants: Sequence[int]) -> dict[int, int]:
        return {tenant: self.generation for tenant in tenants if tenant in self.keysets}

    def save(self, tenant: int, keyset: Keyset, expected: int) -> int:
        self.keysets.setdefault(tenant, {})[keyset.purpose] = keyset
        return self.generation

    def reserve(self, tenant: int, key_id: int, messages: int, limit: int) -> bool:
        self.reservations += 1
        if self.messages.get(key_id, 0) + messages > limit:
            return False
        self.messages[key_id] = self.messages.get(key_id, 0) + messages
        return True


class Time:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def root() -> Counted:
    return Counted()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def keyring(root: Counted, shelf: Shelf, time: Time) -> Keyring:
    ring = Keyring(
        shelf, {root.name: root}, root.name, time, lease=900, max_messages=10_000, wall=lambda: 0.0
    )
    for tenant in (1, 2):
        for purpose in Purpose:
            shelf.save(tenant, ring.create(tenant, purpose, 0.0), 1)
    return ring


def test_all_keysets_of_a_tenant_open_in_one_call(keyring: Keyring, root: Counted) -> None:
    keys = keyring.keys(1)
    assert len({keys.primary(purpose).secret.expose() for purpose in Purpose}) == len(Purpose)
    keyring.keys(1)
    assert root.unwraps == 1


def test_plain_keys_are_kept_for_the_lease_and_no_longer(keyring: Keyring, root: Counted, time: Time) -> None:
    first = keyring.keys(1)
    time.now += 899.999
    assert keyring.keys(1) is first
    time.now += 0.001
    assert keyring.keys(1) is not first
    assert root.unwraps == 2


def test_an_idle_process_keeps_no_key_past_its_lease(keyring: Keyring, time: Time) -> None:
    key = keyring.keys(1).primary(Purpose.SEAL)
    secret = weakref.ref(key)
    del key
    time.now += 500
    keyring.keys(2)
    assert keyring.expire() == 400
    assert secret() is not None
    time.now += 400
    assert keyring.expire() == 500
    assert secret() is None


def test_leases_end_by_themselves(shelf: Shelf, root: Counted, keyring: Keyring) -> None:
    quick = Keyring(shelf, {root.name: root}, root.name, monotonic, lease=0.05)
    quick.expire_in_time()
    held = weakref.ref(quick.keys(1).primary(Purpose.SEAL))
    end = monotonic() + 10
    while held() is not None and monotonic() < end:
        sleep(0.01)
    quick.forget()
    assert held() is None


def test_forgotten_keys_are_wiped(keyring: Keyring) -> None:
    key = keyring.keys(1).primary(Purpose.SEAL)
    key.derived("copy", bytes)
    keyring.forget()
    assert len(key.secret) == 0
    with pytest.raises(ValueError, match="wiped"):
        key.derived("copy", bytes)


def test_a_key_of_another_tenant_or_purpose_does_not_open(keyring: Keyring, shelf: Shelf) -> None:
    """PCI DSS v4.0.1, 3.7.7: a substituted key is noticed."""
    mine, theirs = shelf.keysets[1], shelf.keysets[2]
    for stolen in (theirs[Purpose.SEAL], mine[Purpose.INDEX]):
        shelf.keysets[1] = {**mine, Purpose.SEAL: replace(stolen, tenant=1, purpose=Purpose.SEAL)}
        with pytest.raises(UnwrapError):
            keyring.reload(1)


def test_states_decide_who_seals_and_who_opens(keyring: Keyring, shelf: Shelf, root: Counted) -> None:
    keyset = shelf.keysets[1][Purpose.SEAL]
    old = keyset.primary
    made = {}
    for state in (State.PRE_ACTIVE, State.DEACTIVATED, State.SUSPENDED, State.COMPROMISED, State.DESTROYED):
        key_id = new_key_id()
        wrapped = root.wrap([Secret.random()], [wrapping_context(1, Purpose.SEAL, key_id)])[0]
        made[state] = KeyVersion(key_id, state, root.name, wrapped, 1.0)
        keyset = keyset.with_version(made[state])
    added = keyring.add(keyset, 2.0)
    made[State.ACTIVE] = added
    keyset = keyset.with_version(added).activated(added.id, 3.0)
    assert keyset.version(old.id).state is State.DEACTIVATED
    assert keyset.version(old.id).deactivated_at == keyset.version(added.id).activated_at == 3.0
    shelf.save(1, keyset, 1)
    keys = keyring.reload(1)
    assert keys.primary(Purpose.SEAL).id == made[State.ACTIVE].id
    assert keys.openers(Purpose.SEAL)[0].id == made[State.ACTIVE].id
    for version in (old, made[State.PRE_ACTIVE], made[State.DEACTIVATED], made[State.COMPROMISED]):
        assert keys.version(Purpose.SEAL, version.id).id == version.id
    for state in (State.SUSPENDED, State.DESTROYED):
        with pytest.raises(UnknownKey):
            keys.version(Purpose.SEAL, made[state].id)


def test_messages_are_counted_over_processes_and_never_pass_the_limit(
    keyring: Keyring, shelf: Shelf, root: Counted, time: Time
) -> None:
    other = Keyring(shelf, {root.name: root}, root.name, time, max_messages=10_000, wall=lambda: 0.0)
    key, same = keyring.keys(1).primary(Purpose.SEAL), other.keys(1).primary(Purpose.SEAL)
    spent = 0
    for _ in range(1_000):
        try:
            keyring.spend(1, key, 30)
            other.spend(1, same, 7)
        except KeyExhausted:
            break
        spent += 37
    assert 5_000 < spent <= shelf.messages[key.id] <= 10_000
    assert shelf.reservations < 40


def test_the_last_messages_may_be_spent_one_by_one(keyring: Keyring, shelf: Shelf) -> None:
    key = keyring.keys(1).primary(Purpose.SEAL)
    for _ in range(10_000):
        keyring.spend(1, key, 1)
    with pytest.raises(KeyExhausted):
        keyring.spend(1, key, 1)


def test_an_unlisted_root_and_an_unknown_tenant_are_named(shelf: Shelf, keyring: Keyring, time: Time) -> None:
    stranger = AeadRoot("stranger", Secret.random())
    with pytest.raises(UnknownRoot):
        Keyring(shelf, {stranger.name: stranger}, stranger.name, time).keys(1)
    with pytest.raises(UnknownKey):
        keyring.keys(99)


def test_a_key_seals_no_more_when_its_cryptoperiod_is_over(shelf: Shelf, root: Counted, time: Time) -> None:
    """SP 800-57 Part 1 Rev. 5, 5.3; PCI DSS v4.0.1, 3.7.4."""
    now = [0.0]
    ring = Keyring(shelf, {root.name: root}, root.name, time, cryptoperiod=100, wall=lambda: now[0])
    shelf.save(1, ring.create(1, Purpose.SEAL, 0.0), 1)
    key = ring.keys(1).primary(Purpose.SEAL)
    now[0] = 100.0
    ring.spend(1, key, 1)
    now[0] = 100.1
    with pytest.raises(KeyExpired):
        ring.spend(1, key, 1)
    assert ring.keys(1).version(Purpose.SEAL, key.id) is key


def test_what_is_in_use_is_loaded_again_at_half_of_its_lease(
    keyring: Keyring, root: Counted, time: Time
) -> None:
    """So an outage that begins now leaves at least half a lease."""
    first = keyring.keys(1)
    keyring.keep_up()
    assert keyring.keys(1) is first
    time.now += 451
    keyring.keep_up()
    second = keyring.keys(1)
    assert second is not first
    assert second.expires_at == time.now + 900
    time.now += 899
    assert keyring.lease_left() == 1


def test_what_nobody_uses_is_not_loaded_again(keyring: Keyring, root: Counted, time: Time) -> None:
    keyring.keys(1)
    for _ in range(2):
        time.now += 451
        keyring.keep_up()
    assert root.unwraps == 2
    time.now += 449
    assert keyring.loaded() == {}


def test_what_turned_is_loaded_again(keyring: Keyring, shelf: Shelf) -> None:
    first = keyring.keys(1)
    assert keyring.refresh(1) is False
    shelf.generation += 1
    assert keyring.refresh(1) is True
    second = keyring.keys(1)
    assert (second.generation, first.generation) == (2, 1)
    shelf.generation += 1
    keyring.keep_up()
    assert keyring.loaded() == {1: 3}


def test_a_root_that_fails_costs_nothing_before_the_lease_ends(
    keyring: Keyring, shelf: Shelf, root: Counted, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = keyring.keys(1)

    def refuse(*_: object) -> list[Secret]:
        raise UnwrapError("not now")

    monkeypatch.setattr(root, "unwrap", refuse)
    time.now += 899.999
    keyring.keep_up()
    assert keyring.keys(1) is held
    time.now += 0.001
    with pytest.raises(UnwrapError):
        keyring.keys(1)


def test_roots_are_not_asked_at_every_look(keyring: Keyring, root: Counted, time: Time) -> None:
    asked = []
    root.check = lambda: asked.append(1)  # type: ignore[method-assign]
    assert keyring.check_roots() == keyring.check_roots() == {root.name: None}
    assert len(asked) == 1
    time.now += 2
    keyring.check_roots()
    assert len(asked) == 2


def test_a_load_that_was_slow_does_not_undo_a_later_one(
    keyring: Keyring, shelf: Shelf, root: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a process that said which version it holds would be without it."""
    unwrap, turns = root.unwrap, iter([1])

    def slow(wrapped: Sequence[bytes], contexts: Sequence[bytes]) -> list[Secret]:
        for _ in turns:
            shelf.generation += 1
            keyring.reload(1)
        return unwrap(wrapped, contexts)

    monkeypatch.setattr(root, "unwrap", slow)
    keyring.reload(1)
    assert keyring.loaded() == {1: 2}


def test_what_is_loaded_after_the_end_is_not_kept(keyring: Keyring) -> None:
    keyring.keys(1)
    keyring.forget()
    keyring.reload(1)
    assert keyring.loaded() == {}
