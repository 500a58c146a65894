"""The service's own keysets: made once, shown as no business, turned, and taken along when roots move."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keys.errors import KeysetChanged
from keys.keyring import Keyring
from keys.keyset import SERVICE, Purpose, State
from keys.secret import Secret
from keys.wrapping import AeadRoot
from tests.vault.conftest import ON_SQLITE, Shop
from tests.vault.recovery.kept import Kept, kept
from vault.audit import notes
from vault.columns import Actor
from vault.recovery import ownkeys
from vault.resources import Resources
from vault.rotate import kinds, roots
from vault.rotate.run import Run
from vault.store import copies, inspection, jobs
from vault.store.keysets import Keysets

OPERATOR = Actor(0, "live", "operator", "request", kind="local")


@pytest.fixture
def house(shop: Shop, tmp_path: Path) -> Iterator[Kept]:
    with kept(shop, tmp_path) as opened:
        yield opened


def another(resources: Resources) -> Resources:
    """Return what a second process has."""
    ring = resources.keyring
    return replace(
        resources, keyring=Keyring(Keysets(resources.database), ring.roots, "memory", time.monotonic)
    )


def test_they_are_made_once_whoever_asks_first(house: Kept) -> None:
    everybody = [another(house.resources) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        recipients = set(pool.map(ownkeys.recipient, everybody))
    assert len(recipients) == 1
    with house.resources.database.read() as connection:
        found = connection.exec_driver_sql("SELECT purpose, state FROM key_version WHERE tenant = 0")
        assert sorted(map(tuple, found)) == [("backup", "active"), ("manifest", "active")]


@ON_SQLITE
def test_the_service_is_no_business(house: Kept) -> None:
    ownkeys.keys(house.resources)
    assert SERVICE in inspection.tenants(house.resources.database)
    assert SERVICE not in inspection.tenant_names(house.resources.database)
    assert house.shop.vault.find_tenant("strongroom", "service") is None  # type: ignore[arg-type]
    made = house.shop.vault.bootstrap("strongroom")
    assert house.shop.vault.find_tenant("strongroom", "live") == made["live"][0].tenant


@ON_SQLITE
def test_turned_ones_sign_beside_the_former(house: Kept) -> None:
    house.run_once()
    first = house.verifiers(house.manifests(house.folders[0], "data")[0].installation)
    ownkeys.rotate(house.resources, OPERATOR)
    house.run_once()
    newest = sorted(house.folders[0].glob("*/keyring/manifests/*"))[-1]
    note = notes.parse(newest.read_text())
    assert len(note.signatures) == 2
    assert notes.verified(note, first)  # whoever trusts the former key alone
    second = house.verifiers(newest.parts[-4])
    assert [one.key for one in second][1] == first[0].key
    assert note.signatures[0].key == second[0].key
    assert house.manifests(house.folders[0], "data")


@ON_SQLITE
def test_who_turns_them_after_they_were_wrapped_anew_begins_again(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    ownkeys.keys(house.resources)
    real = ownkeys.telling.rows

    def meanwhile(*given: Any, **named: Any) -> Any:
        with house.resources.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE key_version SET wrapped = x'00' WHERE tenant = 0")
        return real(*given, **named)

    monkeypatch.setattr(ownkeys.telling, "rows", meanwhile)
    with pytest.raises(KeysetChanged):
        ownkeys.rotate(house.resources, OPERATOR)
    _, held = Keysets(house.resources.database).load(SERVICE)
    assert [[one.state for one in keyset.versions] for keyset in held.values()] == [[State.ACTIVE]] * 2


@ON_SQLITE
def test_they_move_with_all_others_under_another_root(house: Kept) -> None:
    house.run_once()
    other = AeadRoot("second", Secret.random())
    known = house.resources.keyring.roots
    assert isinstance(known, dict)
    known[other.name] = other
    house.shop.vault.move_root(house.shop.actor, other.name)
    kinds.work(house.resources, "worker", lambda: False, lambda _: None)
    _, held = Keysets(house.resources.database).load(SERVICE)
    assert {one.root for keyset in held.values() for one in keyset.versions} == {other.name}
    house.run_once()
    newest = house.manifests(house.folders[0], "keyring")[-1]
    assert [one.root for one in newest.roots] == [other.name]
    keys = house.resources.keyring.reload(SERVICE)
    assert newest.roots[0].id == f"{keys.primary(Purpose.BACKUP).id:016x}"


@ON_SQLITE
def test_a_root_retires_its_old_versions_when_the_keyring_was_shipped_again(house: Kept) -> None:
    database, actor = house.resources.database, house.shop.actor
    house.run_once()
    database.write(
        lambda t: jobs.add(
            t, actor.tenant, "rotate_root", "roots", {"root": "memory"}, "x", "y", everywhere=True
        )
    )
    job = jobs.take(database, "worker", lambda _: False)
    assert job is not None
    run = Run(house.resources, job, lambda _: None)
    assert [phase.__name__ for phase in kinds.ROOTS["rotate_root"]][-2:] == ["ship", "retire"]
    assert not roots.ship(run)
    assert run.idle
    house.run_once()
    assert roots.ship(run)
    with database.read() as connection:
        assert (copies.shipped(connection) or 0) >= run.job.notes["rewrapped"]


@ON_SQLITE
def test_without_targets_no_root_waits(shop: Shop) -> None:
    database, actor = shop.resources.database, shop.actor
    database.write(
        lambda t: jobs.add(
            t, actor.tenant, "rotate_root", "roots", {"root": "memory"}, "x", "y", everywhere=True
        )
    )
    job = jobs.take(database, "worker", lambda _: False)
    assert job is not None
    assert roots.ship(Run(shop.resources, job, lambda _: None))
