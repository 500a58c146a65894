"""Restores across an emergency in which persons got new keys: what is sealed opens, whatever came in between."""

from __future__ import annotations

from keys.keyset import Purpose
from tests.vault.conftest import Shop
from tests.vault.recovery.made import Backups
from tests.vault.recovery.test_restoring import PLAIN, backups
from tests.vault.test_rotation import primary, work
from vault.backup import layout
from vault.recovery.restored import Wanted

__all__ = ["backups"]
pytestmark = PLAIN


def leak(shop: Shop) -> None:
    """Carry out what an operator does about a seal version that leaked: every person gets another key."""
    shop.vault.compromise_key(shop.actor, f"{primary(shop, Purpose.SEAL):016x}")
    work(shop)


def test_values_sealed_anew_since_the_full_backup_are_not_told_as_lost(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    """The full backup has them under a person key that is no more; a later one has them under another."""
    personal, other = shop.tokenize("phone", *["13800138000"] * 2, subjects=["a", None])
    backups.make()
    leak(shop)
    backups.make("journal")
    told = backups.restore(empty_url)
    assert (told.unreadable, told.whole) == ({}, True)
    with backups.opened(empty_url) as again:
        assert again.plain(personal, other) == ["+8613800138000"] * 2


def test_persons_renewed_after_the_last_data_keep_the_key_that_those_need(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    """The service died when the keyring was shipped, and the data that are sealed under it were not yet."""
    personal, erased, again_here = (
        shop.tokenize("phone", "13800138000", subjects=[name])[0] for name in ("a", "b", "c")
    )
    backups.make()
    leak(shop)
    for name in ("b", "c"):
        shop.vault.erase(shop.actor, name)
    shop.tokenize("phone", "13800138000", subjects=["c"])
    number = backups.make("journal")
    (installation,) = backups.archive().installations()
    (backups.folder / layout.manifest(installation, "data", number)).unlink()
    told = backups.restore(empty_url)
    assert (told.number, told.keyring, told.unreadable) == (1, 2, {})
    with backups.opened(empty_url) as again:
        assert again.plain(personal, erased, again_here) == ["+8613800138000", None, None]
        leak(again)
        (new,) = again.tokenize("phone", "13800138001", subjects=["c"])
        assert again.plain(personal, new) == ["+8613800138000", "+8613800138001"]


def test_a_former_person_key_whose_wrapping_key_is_gone_stays_out(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    """Or nothing more could be stored of that person."""
    shop.tokenize("phone", "13800138000", subjects=["a"])
    leaked = f"{primary(shop, Purpose.SEAL):016x}"
    backups.make()
    leak(shop)
    shop.vault.destroy_key(shop.actor, leaked, forfeit_backups=True)
    shop.later(31 * 86_400)
    assert shop.maintain()["destroyed_keys"] == 1
    backups.make("journal")
    told = backups.restore(empty_url, Wanted(number=1))
    assert told.unreadable == {"tokens": 1}
    with backups.opened(empty_url) as again:
        (new,) = again.tokenize("phone", "13800138001", subjects=["a"])
        assert again.plain(new) == ["+8613800138001"]
