"""Drills: a good backup passes, a bad one fails in the check that is there for it, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import new_database
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
