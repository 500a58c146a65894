"""A key version that backups need stays until they are no longer kept, or are given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from tests.vault.recovery.kept import Kept, kept
from tests.vault.test_rotation import turn
from vault import custody
from vault.credentials import Login
from vault.errors import KeyInUse
from vault.rotate import kinds
from vault.store import catalogue

pytestmark = ON_SQLITE


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path) as opened:
        yield opened


def old_seal_key(house: Kept) -> str:
    """Turn the seal keyset after a backup; return the version that only the backup needs."""
    house.shop.tokenize("phone", "13800138000")
    house.run_once()
    house.shop.vault.rotate_keyset(house.shop.actor, "seal")
    while kinds.work(house.resources, "worker", lambda: False, lambda _: None):
        pass
    (old,) = (
        one
        for one in house.shop.vault.keyset(house.shop.actor, "seal").versions
        if one.state == "deactivated"
    )
    return old.id


def needed(house: Kept, key_id: str) -> dict[str, int] | None:
    versions = house.shop.vault.keyset(house.shop.actor, "seal").versions
    return next(one.needed_by for one in versions if one.id == key_id)


def test_backups_need_a_key_that_nothing_else_does(house: Kept) -> None:
    old = old_seal_key(house)
    assert needed(house, old) == {"backups": 1}
    with pytest.raises(KeyInUse, match="1 backups"):
        house.shop.vault.destroy_key(house.shop.actor, old)
    assert house.shop.vault.disable_key(house.shop.actor, old).state == "suspended"


def test_who_gives_them_up_is_told_which(house: Kept) -> None:
    old = old_seal_key(house)
    planned = house.shop.vault.destroy_key(house.shop.actor, old, forfeit_backups=True)
    with house.resources.database.read() as connection:
        (full,) = (one for one in catalogue.backups(connection, "data") if one.kind == "full")
    assert planned.forfeits == (full.number,)
    assert full.forfeited_at is not None
    assert needed(house, old) == {}
    house.shop.later(custody.USUAL_WAIT + 1)
    assert custody.destroy_due(house.resources) == 1


def test_what_was_given_up_comes_back_when_the_destruction_is_called_off(house: Kept) -> None:
    old = old_seal_key(house)
    house.shop.vault.destroy_key(house.shop.actor, old, forfeit_backups=True)
    assert house.shop.vault.cancel_destruction(house.shop.actor, old).forfeits == ()
    assert needed(house, old) == {"backups": 1}


def test_what_lost_another_key_for_good_stays_given_up(house: Kept) -> None:
    """Else it would pass for one that can be restored in full, and hold up what needs it no more."""
    vault, actor = house.shop.vault, house.shop.actor
    vault.store_password(actor, Login(subject="a"), "correct horse, battery, staple")
    old = old_seal_key(house)
    assert turn(house.shop, "password").error is None
    first = vault.keyset(actor, "password").versions[0].id
    vault.destroy_key(actor, first, forfeit_backups=True)
    house.shop.later(custody.USUAL_WAIT + 1)
    assert custody.destroy_due(house.resources) == 1
    vault.destroy_key(actor, old)
    vault.cancel_destruction(actor, old)
    with house.resources.database.read() as connection:
        (full,) = (one for one in catalogue.backups(connection, "data") if one.kind == "full")
    assert full.forfeited_at is not None


def test_a_backup_that_is_kept_no_more_needs_nothing(house: Kept) -> None:
    old = old_seal_key(house)
    with house.resources.database.read() as connection:
        numbers = [one.number for one in catalogue.backups(connection, "data")]
    house.resources.database.write(lambda t: catalogue.removed(t, "data", numbers))
    assert needed(house, old) == {}
    assert house.shop.vault.destroy_key(house.shop.actor, old).destroy_at is not None
