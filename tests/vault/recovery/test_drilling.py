"""Drills: a good backup passes, a bad one fails in the check that is there for it, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from api.drills import place
from tests.databases import migrated_database, new_database
from tests.scenarios.campaign import FULL
from tests.vault.conftest import SCHEMA_AT_HAND
from tests.vault.recovery.badmakers import BAD, Bad
from tests.vault.recovery.drillhost import Hosted, hosted
from vault.recovery.reports import CHECKS, Report
from vault.store.tables import metadata

TRIED = [bad for bad in BAD if FULL or not bad.again]


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Hosted]:
    """A filled shop and its drill host."""
    with hosted(database_url, tmp_path / "backups") as made:
        yield made


@pytest.fixture
def scratch(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """What a drill restores to, of the same kind as the shop's database; nothing is left of it after."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    if database_url.startswith("sqlite"):
        with place.scratch(None, folder, 0) as url:
            yield url
        assert list(folder.iterdir()) == []
        return
    with new_database("postgresql", folder, request.getfixturevalue("postgres")) as empty:
        with place.scratch(empty, None, 0) as url:
            yield url
        with place.scratch(empty, None, 0):  # which takes none with a table in it
            pass


def told(report: Report) -> dict[str, str]:
    """What each check came to."""
    return {check.name: f"{check.state} {check.code}".strip() for check in report.checks}


def whole(host: Hosted) -> dict[str, list[str]]:
    """Every row of the live database but those of its audit, which the comparison itself is on."""
    with host.shop.resources.database.read() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in metadata.tables.items()
            if not name.startswith("audit_") and name not in {"spending", "lease", "epoch"}
        }


def test_a_good_backup_passes_every_check(host: Hosted, scratch: str) -> None:
    host.maker.make()
    before = whole(host)
    report = host.drill(scratch, lives=[host.live])
    assert whole(host) == before
    assert host.troubles == []
    assert told(report) == dict.fromkeys(CHECKS, "passed")
    assert report.passed
    assert host.told == list(CHECKS)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A filled shop whose backups are made badly; it is none the worse for that."""
    folder = tmp_path_factory.mktemp("shared")
    with migrated_database("sqlite", folder) as url, hosted(url, folder / "backups") as made:
        yield made


def test_twenty_are_tried_at_least() -> None:
    assert len(TRIED) >= 20


@SCHEMA_AT_HAND
@pytest.mark.parametrize("bad", TRIED, ids=lambda bad: bad.name)
def test_a_bad_backup_fails(shared: Hosted, tmp_path: Path, bad: Bad) -> None:
    host = replace(shared, maker=replace(shared.maker, folder=tmp_path / "backups"))
    host.troubles.clear()
    bad.make(host)
    lives = [host.live] if bad.check == "live" else None  # asking it takes its time
    report = host.drill(f"sqlite:///{tmp_path}/scratch.db", lives=lives)
    assert not report.passed
    assert told(report)[bad.check] == f"failed {bad.code}", told(report)
    assert host.troubles == []
