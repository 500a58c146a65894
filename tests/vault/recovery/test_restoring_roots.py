"""Restores with a root in a real Vault, out of an escrow with gaps, and what stays shut is counted."""

from __future__ import annotations

import time

import pytest

from keys.keyring import Keyring
from keys.keyset import Purpose, State
from keys.provider import RootKey
from keys.secret import Secret
from tests.vault.conftest import SCHEMA_AT_HAND, Shop
from tests.vault.recovery.made import Backups, untouched
from tests.vault.recovery.test_restoring import PLAIN, another_root, backups
from tests.vault.test_rotation import primary, turn
from tests.vault_server import Transit
from vault.errors import BackupLocked, UnreadableValue
from vault.recovery import keysin, primaries
from vault.recovery.keysin import KeyRow
from vault.recovery.restored import Means, Wanted
from vault.store.keysets import Keysets

__all__ = ["backups"]
pytestmark = SCHEMA_AT_HAND


@PLAIN
def test_the_root_in_a_vault_opens_it_and_wraps_the_new_primaries(
    shop: Shop, backups: Backups, empty_url: str, transit: Transit
) -> None:
    token = shop.tokenize("phone", "13800138000", subjects=["a"])
    backups.make()
    vault = transit.root()
    backups.restore(empty_url, means=Means(recovery=backups.recovery), roots=[vault])
    with backups.opened(empty_url, roots=[vault]) as moved:
        assert moved.plain(*token) == ["+8613800138000"]
        later = Backups(moved, backups.folder.with_name("later"))
        later.make()
        told = later.restore(f"{empty_url}-2", roots=[transit.root()])
        assert (told.whole, told.new_keys) == (True, 10)
    with later.opened(f"{empty_url}-2", roots=[transit.root()]) as again:
        assert again.plain(*token) == ["+8613800138000"]
        assert {version.root for version in again.vault.keyset(again.actor, "seal").versions} == {vault.name}


@PLAIN
def test_a_version_destroyed_since_opens_nothing_of_an_older_backup(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    nobody, person = shop.tokenize("phone", "13800138000", "13800138001", subjects=[None, "a"])
    old = primary(shop, Purpose.SEAL)
    backups.make()
    assert turn(shop, "seal").error is None
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE key_version SET state = 'destroyed', wrapped = x'' WHERE id = {old}"
        )
    backups.make()
    told = backups.restore(empty_url, Wanted(number=1))
    assert (told.unreadable, told.whole) == ({"tokens": 1}, False)
    with backups.opened(empty_url) as again:
        assert again.plain(person) == ["+8613800138001"]
        assert again.vault.find(again.actor, "phone", ["13800138000"]).matches == [[]]
        with pytest.raises(UnreadableValue):
            again.plain(nobody)
        assert again.vault.delete(again.actor, [nobody]).deleted == 1  # it can still be got rid of


def row(key: int, state: State, **more: object) -> KeyRow:
    """A seal version of tenant 1, wrapped by a root that is lost."""
    return {
        "tenant": 1, "id": key, "purpose": "seal", "state": state.value, "root": "lost", "wrapped": b"lost",
        "messages": 9, "created_at": key, "epoch": 1, "activated_at": key, "deactivated_at": None, "destroy_at": None,
        **more,
    }  # fmt: skip


def ring(*roots: RootKey) -> Keyring:
    """A keyring of these roots, of which the first is the primary one."""
    store = Keysets(untouched("sqlite:///nowhere.db"))
    return Keyring(store, {root.name: root for root in roots}, roots[0].name, time.monotonic)


def test_what_is_not_in_the_escrow_is_suspended_and_its_keyset_has_a_primary_again() -> None:
    root = another_root()
    rows = [row(1, State.DEACTIVATED), row(2, State.ACTIVE), row(3, State.DESTROYED, wrapped=b"")]
    held = {1: {1: ("seal", Secret(bytes(32)))}}
    found, lost = keysin.rewrapped(rows, held, ring(root), now=7)
    assert [one["state"] for one in found] == ["deactivated", "suspended", "destroyed"]
    assert ([one["root"] for one in found], lost) == ([root.name, "lost", "lost"], 1)
    after, made = primaries.renewed(found, ring(root), now=8)
    keys = keysin.opened(after, ring(root))[1]
    assert (made, keys.version(Purpose.SEAL, 1).secret) == (1, Secret(bytes(32)))
    assert keys.primary(Purpose.SEAL).id not in {1, 2, 3}
    assert 2 not in keys.versions[Purpose.SEAL]


def test_former_primaries_open_only_and_those_to_be_never_become_any() -> None:
    root = another_root()
    planned = row(1, State.DEACTIVATED, destroy_at=99)
    after, made = primaries.renewed(
        [planned, row(2, State.ACTIVE), row(3, State.PRE_ACTIVE)], ring(root), now=8
    )
    assert made == 1
    assert after[0] == planned
    assert (after[1]["state"], after[1]["deactivated_at"], after[1]["messages"]) == ("deactivated", 8, 9)
    assert (after[2]["state"], after[2]["wrapped"]) == ("destroyed", b"")
    assert (after[3]["state"], after[3]["root"], after[3]["messages"]) == ("active", root.name, 0)
    route = row(4, State.ACTIVE, purpose="route")
    assert primaries.renewed([route], ring(root), now=8) == ([route], 0)


def test_a_keyset_under_a_root_that_the_settings_do_not_list_is_named() -> None:
    with pytest.raises(BackupLocked, match="root key lost"):
        keysin.opened([row(1, State.ACTIVE)], ring(another_root()))
