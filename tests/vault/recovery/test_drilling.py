"""Drills: a good backup passes, a bad one fails in the check that is there for it, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.databases import migrated_database, new_database
from tests.vault.recovery.badmakers import BAD, Bad
from tests.vault.recovery.drillhost import Hosted, hosted
from vault.recovery.reports import CHECKS, Report


@pytest.fixture
def host(database_url: str, tmp_path: Path) -> Iterator[Hosted]:
    """A filled shop and its drill host."""
    with hosted(database_url, tmp_path / "backups") as made:
        yield made


@pytest.fixture
def scratch(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database, of the same kind as the shop's."""
    kind = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    server = request.getfixturevalue("postgres") if kind == "postgresql" else None
    folder = tmp_path / "scratch"
    folder.mkdir()
    with new_database(kind, folder, server) as url:
        yield url


def told(report: Report) -> dict[str, str]:
    """What each check came to."""
    return {check.name: f"{check.state} {check.code}".strip() for check in report.checks}


def test_a_good_backup_passes_every_check(host: Hosted, scratch: str) -> None:
    host.maker.make()
    report = host.drill(scratch, lives=[host.live])
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


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_backup_fails(shared: Hosted, tmp_path: Path, bad: Bad) -> None:
    host = replace(shared, maker=replace(shared.maker, folder=tmp_path / "backups"))
    host.troubles.clear()
    bad.make(host)
    report = host.drill(f"sqlite:///{tmp_path}/scratch.db", lives=[host.live])
    assert not report.passed
    assert told(report)[bad.check] == f"failed {bad.code}", told(report)
    assert host.troubles == []
