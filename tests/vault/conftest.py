"""A vault on a real database, with a root key in memory and a clock that tests may turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from api.hashing.late import LateHasher
from keys.keyring import Keyring
from keys.providers import memory
from tests.databases import KINDS, write_schema
from tests.scenarios.campaign import FULL
from vault.columns import Actor, Column, Mode, Spec
from vault.maintenance import Maintenance
from vault.passwords.pool import Pool
from vault.passwords.profiles import Profile
from vault.resources import Passwords, Resources
from vault.service import Vault
from vault.store import migrate, scratch
from vault.store.database import Database
from vault.store.keysets import Keysets

# Where nothing depends on which database it is, one is enough.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# Where it hardly does, the other one is for campaigns.
MOSTLY_SQLITE = pytest.mark.parametrize("database_url", KINDS if FULL else ["sqlite"], indirect=True)
# Where a restore's schema is no matter: it is copied from a file that was migrated before.
SCHEMA_AT_HAND = pytest.mark.usefixtures("schema_at_hand")
CHEAP = Profile("cheap", memory=64, passes=1, lanes=1)  # for tests that hash a lot


@dataclass(slots=True)
class Shop:
    """A vault, its parts, and who asks."""

    vault: Vault
    resources: Resources
    actor: Actor
    tests: Actor
    shift: list[float]

    def later(self, seconds: float) -> None:
        """Turn the clock forward."""
        self.shift[0] += seconds

    def tokenize(
        self, field: str, *values: object, subjects: list[str | None] | None = None, **spec: object
    ) -> list[str]:
        """Return the tokens of good values."""
        column = Column(field, list(values), Spec(**spec), subjects)  # type: ignore[arg-type]
        (made,) = self.vault.tokenize(self.actor, [column])
        assert not made.errors
        return [token for token in made.tokens if token is not None]

    def plain(self, *tokens: str, field: str | None = None) -> list[str | None]:
        """Return what the tokens stand for, None for those that are refused."""
        return self.vault.reveal(self.actor, tokens, "service", "plain", field).values

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with self.resources.database.read() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    def maintain(self) -> dict[str, int]:
        """Do the background work once."""
        return Maintenance(self.resources, "test").run_once()


def open_shop(url: str, name: str = "shop") -> Shop:
    """Make the schema, if it is not there, and a business."""
    shift = [0.0]
    database = Database(url, lambda: time.time() + shift[0], time.monotonic)
    migrate.upgrade(database)
    root = memory.create()
    keyring = Keyring(Keysets(database), {root.name: root}, root.name, time.monotonic)
    resources = Resources(
        database, keyring, time.monotonic, passwords=Passwords(profile=CHEAP),
        hasher=LateHasher(lambda: Pool(256 * 1_024, wait_seconds=60), 256 * 1_024),
    )  # fmt: skip
    vault = Vault(resources)
    made = vault.bootstrap(name)
    actors = {mode: actor(made[mode][0].tenant, mode) for mode in made}
    return Shop(vault, resources, actors["live"], actors["test"], shift)


def actor(tenant: int, mode: Mode) -> Actor:
    """Return somebody of a tenant who may do everything."""
    return Actor(tenant, mode, "key_0", "request-1")


def limited(one: Actor, *fields: str) -> Actor:
    """Return the same actor, for some fields only."""
    return replace(one, fields=frozenset(fields))


@pytest.fixture
def schema_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare restores into SQLite the time that every migration takes, one after the other."""
    monkeypatch.setattr(scratch.migrate, "upgrade", _upgrade)


def _upgrade(database: Database, real: Callable[[Database], None] = migrate.upgrade) -> None:
    """Copy the schema for a restore's own file; migrate every other database."""
    name = str(database.engine.url.database)
    (write_schema if name.endswith("-restoring") else real)(database)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A shop, on SQLite and on PostgreSQL in turn."""
    opened = open_shop(database_url)
    yield opened
    opened.vault.close()
