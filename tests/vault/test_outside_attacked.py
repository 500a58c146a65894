"""Places outside that hold more than the database, or something else than they were given."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.conftest import Shop, open_shop
from tests.vault.test_auditing import dump, restore
from tests.vault.test_shipper import Home, kept
from vault.audit import checkpoints
from vault.gatekeeping import SEALER_SECONDS
from vault.sealer import Sealer
from vault.sinks.file import FileSink
from vault.store import audithealth


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    shop = open_shop(f"sqlite:///{tmp_path}/vault.db")
    with kept(shop, tmp_path) as made:
        yield made
    shop.vault.close()


def again(home: Home) -> None:
    """What a process that has just begun knows of the file: nothing."""
    home.sinks[0].close()
    home.sinks = [FileSink(home.path, time.time)]


def states(shop: Shop) -> dict[str, str]:
    with shop.resources.database.read() as connection:
        return {one.name: one.state for one in audithealth.states(connection)}


def refuse(home: Home, *results: str) -> None:
    for result in results:
        home.shop.vault.record_refusal(home.shop.actor, "reveal", result)


def test_a_file_that_holds_more_than_a_restored_database_stops_the_sealer_until_the_log_is_reopened(
    home: Home,
) -> None:
    shop = home.shop
    home.seal()
    home.shipper().run_once()
    before = dump(shop)
    refuse(home, "lost_1", "lost_2", "lost_3")
    home.seal()
    home.shipper().run_once()
    newest = shop.vault.audit.checkpoint(shop.actor)
    restore(shop, before)
    again(home)
    home.shipper().run_once()
    assert states(shop)[home.sinks[0].name] == "sink_differs"
    assert not home.open()
    refuse(home, "after")
    home.seal()
    assert states(shop)["sealer"] == "log_behind_sinks"
    shop.vault.audit.reopen(shop.actor, newest)
    home.seal()
    home.shipper().run_once()
    lines = [json.loads(line) for line in home.path.read_bytes().splitlines()]
    name = checkpoints.log_name(shop.actor.tenant, 2)
    assert "after" in [line["result"] for line in lines if line.get("log") == name and "result" in line]


def test_a_new_sealer_signs_nothing_before_the_places_were_looked_at(home: Home) -> None:
    home.seal()
    home.shipper().run_once()
    home.shop.later(60)
    refuse(home, "next")
    sizes: list[int] = []

    def pause(_: float) -> None:
        sizes.append(len(home.stored()))
        if len(sizes) == 2:
            home.shipper().run_once()

    one = Sealer(home.shop.resources, "test", lambda: len(sizes) > 2, pause, home.failed)
    before = len(home.stored())
    one.start()
    one.join()
    assert sizes[:2] == [before, before]
    assert sizes[2] > before


@pytest.mark.parametrize("holds", ['{"x": "y"}', '{"x": -1}', '{"x": true}', '{"x": 1e400}', "[]"])
def test_a_line_that_somebody_else_wrote_does_not_end_delivering(home: Home, holds: str) -> None:
    home.seal()
    home.shipper().run_once()
    with home.path.open("a") as file:
        file.write(f'{{"event":"new","holds":{holds}}}\n')
    again(home)
    refuse(home, "next")
    home.seal()
    home.shipper().run_once()
    assert states(home.shop)[home.sinks[0].name] == "ok"
    lines = [json.loads(line) for line in home.path.read_bytes().splitlines()]
    assert "next" in [line.get("result") for line in lines]


def test_the_gate_shuts_when_nobody_seals_any_more(home: Home) -> None:
    home.seal()
    home.shipper().run_once()
    assert home.open()
    home.shop.later(SEALER_SECONDS + 1)
    home.shipper().run_once()
    assert not home.open()
    home.seal()
    assert home.open()
