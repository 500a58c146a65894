"""How backups stand, for probes and scrapers: said beside everything else, and no reason to turn requests away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import Client

from api import create_app
from api.config import Settings
from tests.api.door import loads
from vault.backup.plan import Plan
from vault.resources import Resources
from vault.service import Vault
from vault.store import catalogue, copies, drills, migrate
from vault.store.database import Database

TARGETS = ("file:/one", "sftp://two/backups")


class Clocks:
    """The time, which tests set."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def store(tmp_path: Path, clocks: Clocks) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path}/vault.db", clocks, clocks)
    migrate.upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings, resources: Resources, store: Database, clocks: Clocks) -> Client:
    plan = Plan(targets=TARGETS, quorum=1, drilled=86_400.0)
    mine = replace(resources, database=store, backups=plan, monotonic=clocks)
    return Client(create_app(settings, Vault(mine), clocks))


def made(store: Database, stream: str, kind: str) -> None:
    def work(transaction: object) -> None:
        number = catalogue.begin(transaction, stream, kind, None, 1, store.now(), 1)  # type: ignore[arg-type]
        catalogue.made(transaction, stream, number, 1, "{}", "d", 1, 1, ["file:/one"])  # type: ignore[arg-type]

    store.write(work)


def numbers(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    found = [line.rpartition(" ") for line in lines if line.startswith("strongroom_backup_")]
    return {name: float(value) for name, _, value in found}


def test_before_the_first_backup_it_is_degraded_and_serves(client: Client) -> None:
    reply = client.get("/readyz")
    assert reply.status_code == 200
    body = loads(reply)
    assert (body["status"], body["checks"]["backups"], body["drilled_seconds"]) == (
        "degraded",
        "backup_missing",
        None,
    )
    assert numbers(client)["strongroom_backup_unshipped_seconds"] == float("inf")


def test_what_is_made_shipped_and_drilled_is_told(client: Client, store: Database, clocks: Clocks) -> None:
    for stream, kind in (("keyring", "full"), ("data", "full"), ("data", "incremental")):
        made(store, stream, kind)
    begun = store.now()
    clocks.now += 10
    made(store, "data", "journal")
    store.write(lambda t: copies.tell_shipped(t, store.now()))
    store.write(lambda t: copies.tell_target(t, TARGETS[1], "target_full"))
    store.write(
        lambda t: drills.add_drill(t, drills.Drill("1", "file:/one", 1, True, store.now(), begun, 3, "{}"))
    )
    clocks.now += 5
    assert numbers(client) == {
        'strongroom_backup_age_seconds{kind="full"}': 15.0,
        'strongroom_backup_age_seconds{kind="incremental"}': 15.0,
        'strongroom_backup_age_seconds{kind="journal"}': 5.0,
        'strongroom_backup_age_seconds{kind="keyring"}': 15.0,
        'strongroom_backup_target_up{target="file:/one"}': 1.0,
        'strongroom_backup_target_up{target="sftp://two/backups"}': 0.0,
        "strongroom_backup_unshipped_seconds": 5.0,
        "strongroom_backup_drilled_age_seconds": 15.0,
    }
    body = loads(client.get("/readyz"))
    assert (body["checks"]["backups"], body["drilled_seconds"]) == ("ok", 15.0)


@pytest.mark.parametrize(
    ("seconds", "shipped", "code"), [(60, False, "backup_late"), (90_000, True, "drill_missed")]
)
def test_what_does_not_come_is_told(
    client: Client, store: Database, clocks: Clocks, seconds: float, shipped: bool, code: str
) -> None:
    made(store, "data", "full")
    store.write(lambda t: copies.tell_shipped(t, store.now()))
    clocks.now += seconds
    if shipped:
        store.write(lambda t: copies.tell_shipped(t, store.now()))
    reply = client.get("/readyz")
    assert (reply.status_code, loads(reply)["checks"]["backups"]) == (200, code)


def test_where_no_backups_are_made_nothing_is_said_of_them(settings: Settings, vault: Vault) -> None:
    client = Client(create_app(settings, vault))
    assert "backups" not in loads(client.get("/readyz"))["checks"]
    assert "drilled_seconds" not in loads(client.get("/livez"))
    assert numbers(client) == {}
