"""Backups made: whole, incremental and journals, of one state, with nothing that is not finished ever listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.conftest import Shop
from tests.vault.recovery.kept import Kept, kept


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path) as opened:
        yield opened


def same(house: Kept, folder: Path) -> None:
    """What is loaded from a folder is what the database has, but for what was deleted since."""
    for stream in ("keyring", "data"):
        loaded, there = house.loaded(folder, stream), house.there(stream)
        loaded.pop("escrow", None)
        for table in there.keys() | loaded.keys():
            assert loaded[table] == there[table], table


def test_a_full_backup_and_journals_are_the_database(house: Kept) -> None:
    house.shop.tokenize("phone", "13800138000", "13800138001", subjects=["anna", None])
    house.run_once()
    for folder in house.folders:
        same(house, folder)
        assert [one.kind for one in house.manifests(folder, "keyring")] == ["full"]
    house.shop.tokenize("phone", "13800138002", subjects=["bert"])
    house.run_once()
    kinds = [one.kind for one in house.manifests(house.folders[0], "data")]
    assert kinds[0] == "full"
    assert set(kinds[1:]) == {"journal"}
    for folder in house.folders:
        same(house, folder)
