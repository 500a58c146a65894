"""What is erased, or whose key is destroyed, opens out of no backup any more once the old keyrings are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.vault.conftest import Shop
from tests.vault.recovery.kept import DAY, Kept, kept
from tests.vault.recovery.made import Backups
from tests.vault.test_rotation import turn
from vault import custody
from vault.backup import blocks, envelope
from vault.recovery import escrow, keysin
from vault.recovery.reindexing import Persons, Reindexer
from vault.recovery.restored import Means, Wanted
from vault.store import catalogue
from vault.store.dialect import COLUMNS
from vault.store.streams import ESCROW

BOTH = pytest.mark.parametrize(
    ("database_url", "empty_url"), [("sqlite", "sqlite"), ("postgresql", "postgresql")], indirect=True
)
TOKEN = {name: at for at, name in enumerate(COLUMNS["token"])}


@dataclass
class Left:
    """All that any keyring file at any target has, whether a manifest names it or not.

    Attributes:
        rows: by table.
        persons: person keys by tenant and subject; `opening`: ids of keys that open something.
    """

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    persons: Persons = field(default_factory=dict)
    opening: set[int] = field(default_factory=set)


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path, targets=2, keyrings=2) as opened:
        yield opened


def left(house: Kept) -> Left:
    """Open every keyring chunk by the recovery key, and by what the root has of it: both see the same."""
    found = Left()
    for folder in house.folders:
        roots = keysin.identities(house.manifests(folder, "keyring"), house.resources.keyring, Means())
        for path in folder.glob("*/keyring/chunks/**/*"):
            if path.is_file():
                (plain, same) = (envelope.opened(path.read_bytes(), one) for one in ([house.recovery], roots))
                assert plain == same
                for block in blocks.decode(plain):
                    found.rows[block.table] += [
                        dict(zip(block.columns, row, strict=True)) for row in block.rows
                    ]
    found.persons = {
        (row["tenant"], row["digest"]): (row["key"], row["wrapped"], row["wrap_key"])
        for row in found.rows["subject"]
    }
    found.opening = {row["key"] for row in found.rows["subject"]}
    found.opening |= {row["id"] for row in found.rows["key_version"] if row["wrapped"]}
    for row in found.rows[ESCROW]:
        found.opening |= escrow.opened(row["blob"], [house.recovery]).keys()
    return found


def opened_raw(house: Kept, there: Left, number: int) -> list[bool]:
    """Return of each token of a data backup whether some key in any keyring left opens it, in their order.

    Nothing is left out here, whatever the erasure ledger says.
    """
    rows = [list(row) for row in house.loaded(house.folders[0], "data", number)["token"].values()]
    versions = {row["id"]: row for row in there.rows["key_version"] if row["wrapped"]}
    keys = keysin.opened(versions.values(), house.resources.keyring)
    return [Reindexer(keys).work([row], there.persons).unreadable["tokens"] == 0 for row in rows]


def sealed_under(house: Kept, number: int) -> list[int]:
    """Return the key that each token of a data backup is sealed under, in the order of `opened_raw`."""
    rows = house.loaded(house.folders[0], "data", number)["token"].values()
    return [row[TOKEN["seal_key"]] for row in rows]


def oldest(house: Kept) -> int:
    with house.resources.database.read() as connection:
        found = catalogue.oldest(connection, "data")
    assert found is not None
    return found.number


def days(house: Kept, count: int) -> None:
    """Let days pass, each with a keyring of its own, and what is not kept any more be swept."""
    for _ in range(count):
        house.shop.later(DAY)
        house.run_once()
    house.run_once()


def restored(house: Kept) -> Backups:
    """Return what restores from the first folder."""
    (installation,) = {path.name for path in house.folders[0].iterdir()}
    return Backups(house.shop, house.folders[0], house.recovery, verifiers=house.verifiers(installation))


@BOTH
def test_an_erased_person_is_gone_from_the_oldest_backup_once_the_old_keyrings_are(
    house: Kept, empty_url: str
) -> None:
    shop = house.shop
    (gone, stays) = shop.tokenize("phone", "13800138000", "13800138001", subjects=["a", "b"])
    (nobody,) = shop.tokenize("phone", "13800138002")
    house.run_once()
    number, before = oldest(house), left(house)
    ids = sealed_under(house, number)
    assert set(ids) <= before.opening
    assert opened_raw(house, before, number) == [True] * 3
    shop.vault.erase(shop.actor, "a")
    with shop.resources.database.read() as connection:
        (erased,) = connection.exec_driver_sql("SELECT key FROM erasure").scalars()
    days(house, 1)
    assert (
        erased in left(house).opening
    )  # a keyring from before is kept, so nobody may call the person gone yet
    days(house, 1)
    assert oldest(house) == number
    after = left(house)
    assert erased in ids
    assert erased not in after.opening
    assert set(ids) - {erased} <= after.opening
    assert opened_raw(house, after, number) == [one != erased for one in ids]
    told = restored(house).restore(empty_url, Wanted(number=number))
    assert (told.number, told.whole, told.left_out["tokens"]) == (number, True, 1)
    with restored(house).opened(empty_url) as again:
        assert again.plain(gone, stays, nobody) == [None, "+8613800138001", "+8613800138002"]


def deactivated(shop: Shop) -> str:
    """Return the id of the seal key version that was turned."""
    versions = shop.vault.keyset(shop.actor, "seal").versions
    return next(one.id for one in versions if one.state == "deactivated")


@pytest.mark.parametrize(("database_url", "empty_url"), [("sqlite", "sqlite")], indirect=True)
def test_so_is_a_destroyed_key_version_and_what_only_it_opens(house: Kept, empty_url: str) -> None:
    shop = house.shop
    shop.tokenize("phone", "13800138000")
    (person,) = shop.tokenize("phone", "13800138001", subjects=["b"])
    house.run_once()
    number = oldest(house)
    ids = sealed_under(house, number)
    turn(shop, "seal")
    old = deactivated(shop)
    destroyed = int(old, 16)
    shop.vault.destroy_key(shop.actor, old, forfeit_backups=True)
    shop.later(custody.USUAL_WAIT)
    house.run_once()
    assert destroyed in left(house).opening  # it may still be called off
    shop.later(1)
    assert custody.destroy_due(shop.resources) == 1
    days(house, 2)
    after = left(house)
    assert destroyed in ids
    assert destroyed not in after.opening
    assert set(ids) - {destroyed} <= after.opening
    assert opened_raw(house, after, number) == [one != destroyed for one in ids]
    told = restored(house).restore(empty_url, Wanted(number=number))
    assert (told.number, told.unreadable) == (number, {"tokens": 1})
    with restored(house).opened(empty_url) as again:
        assert again.plain(person) == ["+8613800138001"]
        assert again.count("token") == 2
        assert again.vault.find(again.actor, "phone", ["13800138000"]).matches == [[]]
