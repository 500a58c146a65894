"""What an erasure destroys is in no file of a SQLite database after the next round of background work."""

from __future__ import annotations

from pathlib import Path

from tests.vault.conftest import open_shop


def test_a_destroyed_person_key_is_in_no_file(tmp_path: Path) -> None:
    shop = open_shop(f"sqlite:///{tmp_path}/vault.db")
    shop.tokenize("bank_card", *["6200000000000005"] * 50, subjects=[f"u{n}" for n in range(50)])
    with shop.resources.database.read() as connection:
        keys = [bytes(row[0]) for row in connection.exec_driver_sql("SELECT wrapped FROM subject")]
        values = [bytes(row[0]) for row in connection.exec_driver_sql("SELECT sealed FROM token")]
    assert all(any(blob in file for file in files(tmp_path)) for blob in keys + values)
    for n in range(50):
        shop.vault.erase(shop.actor, f"u{n}")
    shop.maintain()
    left = files(tmp_path)
    assert not [blob for blob in keys + values if any(blob in file for file in left)]
    shop.vault.close()


def files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]
