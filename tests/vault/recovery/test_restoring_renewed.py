"""Restores across an emergency in which persons got new keys: what is sealed opens, whatever came in between."""

from __future__ import annotations

from keys.keyset import Purpose
from tests.vault.conftest import Shop
from tests.vault.recovery.made import Backups
from tests.vault.recovery.test_restoring import PLAIN, backups
from tests.vault.test_rotation import primary, work

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
