"""A real vault on SQLite with a key file, behind the application; nothing is made up but the wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api import create_app
from api.config import Settings
from api.wiring import open_hasher
from keys.keyring import Keyring
from keys.providers import local
from tests.api.door import Clock, Door, loads
from tests.turning import Turning
from tests.vault.conftest import CHEAP
from vault.granting import Made
from vault.resources import Passwords, Resources
from vault.rotate import kinds
from vault.sealer import Sealer
from vault.service import Vault
from vault.store import migrate
from vault.store.database import Database
from vault.store.keysets import Keysets


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("vault")
    local.create(folder / "root.key")
    return Settings(database_url=f"sqlite:///{folder}/vault.db", root_key_file=folder / "root.key")


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The clock of vault and door."""
    return Clock()


@pytest.fixture(scope="module")
def turning_root() -> Turning:
    """A second root, whose own key turns."""
    return Turning()


@pytest.fixture(scope="module")
def resources(settings: Settings, clock: Clock, turning_root: Turning) -> Resources:
    database = Database(settings.database(), clock, time.monotonic)
    migrate.upgrade(database)
    root = local.load(settings.root_key_file)
    roots = {root.name: root, turning_root.name: turning_root}
    keyring = Keyring(Keysets(database), roots, root.name, time.monotonic, settings.lease_seconds, wall=clock)
    return Resources(
        database, keyring, time.monotonic, passwords=Passwords(profile=CHEAP), hasher=open_hasher(settings)
    )


@pytest.fixture(scope="module")
def vault(resources: Resources) -> Iterator[Vault]:
    vault = Vault(resources)
    yield vault
    vault.close()


@pytest.fixture(scope="module")
def made(vault: Vault) -> dict[Any, Made]:
    return dict(vault.bootstrap("shop", operator=True))


@pytest.fixture(scope="module")
def work(resources: Resources) -> Callable[[], None]:
    """Carries out the jobs that wait, as the background worker does."""

    def run() -> None:
        for _ in range(50):
            if kinds.work(resources, "test", lambda: False, lambda _: None) is None:
                return
        raise AssertionError("the jobs do not end")

    return run


@pytest.fixture(scope="module")
def seal(resources: Resources) -> Callable[[], int]:
    """Moves what is on record into the trees, as the background worker does."""

    def fail(error: Exception) -> None:
        raise error

    return Sealer(resources, "test", lambda: False, lambda _: None, fail).run_once


@pytest.fixture(scope="module")
def app(settings: Settings, vault: Vault, clock: Clock) -> Flask:
    return create_app(settings, vault, clock)


@pytest.fixture(scope="module")
def door(app: Flask, made: dict[Any, Made]) -> Door:
    """The live key with every operation."""
    return Door(app, made["live"][1])


@pytest.fixture(scope="module")
def test_door(app: Flask, made: dict[Any, Made]) -> Door:
    """The same for test data."""
    return Door(app, made["test"][1])


@pytest.fixture
def narrow(app: Flask, door: Door) -> Callable[..., Door]:
    """A door whose key carries only some operations, and fields."""

    def make(*operations: str, fields: list[str] | None = None, **more: object) -> Door:
        ask = {"name": "narrow", "operations": list(operations), "fields": fields, **more}
        reply = door.post("/v1/apikeys", ask)
        assert reply.status_code == 201, reply.get_data(as_text=True)
        return Door(app, loads(reply)["key"])

    return make


def database_files(settings: Settings) -> list[Path]:
    """Return the database with its WAL."""
    return sorted(settings.root_key_file.parent.glob("vault.db*"))
