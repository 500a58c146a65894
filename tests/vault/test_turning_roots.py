"""Roots that turn, step by step, against a real Vault: a crash behind every step loses no key."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keys.errors import RootCannotTurn, UnknownRoot
from keys.keyring import Keyring
from keys.keyset import Purpose
from keys.provider import TurningRoot
from tests.vault.conftest import Shop, open_shop
from tests.vault.test_eight_failures import crashed, crashes
from tests.vault.test_rotation import opens, stocked, work
from tests.vault_server import Transit
from vault.errors import JobRunning
from vault.store.keysets import Keysets


@pytest.fixture
def both(tmp_path: Path, transit: Transit) -> Iterator[Shop]:
    """A shop on SQLite under a root in memory, with one in Vault beside it."""
    shop = open_shop(f"sqlite:///{tmp_path}/shop.db")
    roots = shop.resources.keyring.roots
    assert isinstance(roots, dict)
    roots[transit.place.name] = transit.root()
    yield shop
    shop.resources.database.close()


def test_vaults_key_turns_and_a_crash_behind_each_step_loses_nothing(both: Shop, transit: Transit) -> None:
    held = stocked(both)
    both.vault.move_root(both.actor, transit.place.name)
    work(both)
    both.vault.rotate_root(both.actor, transit.place.name)
    for now in crashes(both):
        assert opens(now, held)
    traits = transit.root().traits()
    assert traits.latest == traits.opens_from == 2  # turned once, though it was interrupted
    assert opens(crashed(both), held)
    assert {name.name: name.version for name in both.vault.roots(both.actor)} == {
        "memory": None,
        transit.place.name: 2,
    }


def test_rewrapping_alone_lets_the_old_versions_open(both: Shop, transit: Transit) -> None:
    held = stocked(both)
    both.vault.move_root(both.actor, transit.place.name)
    work(both)
    transit.root().turn()
    both.vault.rewrap(both.actor, transit.place.name)
    work(both)
    _, keysets = Keysets(both.resources.database).load(both.actor.tenant)
    root = transit.root()
    assert isinstance(root, TurningRoot)
    assert {root.version_of(v.wrapped) for keyset in keysets.values() for v in keyset.versions} == {2}
    assert root.traits().opens_from == 1
    assert opens(crashed(both), held)


def test_one_job_at_a_time_works_on_the_roots_of_all_tenants(both: Shop, transit: Transit) -> None:
    both.vault.move_root(both.actor, transit.place.name)
    with pytest.raises(JobRunning):
        both.vault.move_root(both.tests, "memory")
    work(both)
    both.vault.move_root(both.tests, "memory")


def test_what_a_root_cannot_is_refused(both: Shop) -> None:
    with pytest.raises(UnknownRoot):
        both.vault.move_root(both.actor, "canary")
    with pytest.raises(RootCannotTurn):
        both.vault.rotate_root(both.actor, "memory")


def test_a_thousand_versions_are_opened_by_one_call(both: Shop, transit: Transit) -> None:
    both.vault.move_root(both.actor, transit.place.name)
    work(both)
    store, ring = Keysets(both.resources.database), both.resources.keyring
    generation, keysets = store.load(both.actor.tenant)
    keyset = keysets[Purpose.SEAL]
    root = transit.root()
    for _ in range(1_000):
        keyset = keyset.with_version(ring.add(keyset, time.time()))
    store.save(both.actor.tenant, keyset, generation)
    before = len(decrypts(transit))
    fresh = Keyring(store, {root.name: root}, root.name, time.monotonic)
    assert len(fresh.keys(both.actor.tenant).openers(Purpose.SEAL)) == 1_001
    assert len(decrypts(transit)) == before + 1


def decrypts(transit: Transit) -> list[object]:
    path = f"{transit.mount}/decrypt/strongroom"
    return [e for e in transit.server.audit() if e["type"] == "request" and e["request"]["path"] == path]
