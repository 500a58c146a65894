"""What `doctor` says of backups that were made, of drills, and of what former installations left at a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import backupcheck
from api.cli.backupcheck import Known
from api.cli.findings import Finding
from api.config import Settings
from tests.vault.recovery.copied import Folder
from vault.backup import layout
from vault.backup.plan import Plan, Recipients
from vault.store import catalogue, copies, drills, migrate
from vault.store.database import Database
from vault.store.drills import Drill
from vault.store.writer import Transaction

HOUR = 3_600_000_000  # microseconds
NOW = 1_800_000_000_000_000
PLANNED = Plan(("file:/x",), 1, recipients=Recipients(("age1x",), (), ("drill+0+x",)), drilled=26 * 3_600.0)
FORMER = "1" * 16


def drill(hours: int, passed: bool = True) -> Drill:
    """Return a drill of so many hours ago."""
    at = NOW - hours * HOUR
    return Drill(f"drill-{hours}", "file:/x", 1, passed, at, at, 5, "report")


def state(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(one.state, one.text) for one in findings]


@pytest.mark.parametrize(
    ("shipped", "said"),
    [
        (None, ("warn", "no backup")),
        (NOW - HOUR, ("warn", "may be in the database alone")),
        (NOW, ("ok", "enough")),
    ],
)
def test_how_far_backups_reach(shipped: int | None, said: tuple[str, str]) -> None:
    ((found, text),) = state(backupcheck.reach(PLANNED, Known(NOW, shipped, None, None, None)))
    assert (found, said[1] in text) == (said[0], True), text


@pytest.mark.parametrize(
    ("newest", "passed", "said"),
    [
        (None, None, ("warn", "none was made yet")),
        (drill(1), drill(1), ("ok", "the newest passed")),
        (drill(27), drill(27), ("warn", "none passed since")),
        (drill(1, False), drill(2), ("warn", "failed")),
    ],
)
def test_the_newest_drill(newest: Drill | None, passed: Drill | None, said: tuple[str, str]) -> None:
    ((found, text),) = state(backupcheck.drills(PLANNED, Known(NOW, NOW, newest, passed, None)))
    assert (found, said[1] in text) == (said[0], True), text


def test_drills_that_nobody_plans_or_whose_reports_nobody_takes() -> None:
    known = Known(NOW, NOW, drill(1), drill(1), None)
    unplanned = Plan(("file:/x",), 1, recipients=PLANNED.recipients)
    assert [one for one, _ in state(backupcheck.drills(unplanned, known))] == ["warn", "ok"]
    ((found, text),) = state(backupcheck.drills(Plan(("file:/x",), 1, drilled=1.0), known))
    assert (found, "no drill host" in text) == ("warn", True)


def test_what_the_database_says(tmp_path: Path) -> None:
    file = tmp_path / "vault.db"
    settings = Settings(database_url=f"sqlite:///{file}")
    assert backupcheck.known(settings) is None
    assert not file.exists()
    database = Database(f"sqlite:///{file}", time.time, time.monotonic)
    migrate.upgrade(database)
    assert backupcheck.known(settings) is not None
    follows = f'{{"installation":"{FORMER}","number":7,"digest":"{"0" * 64}"}}'

    def enter(transaction: Transaction) -> None:
        catalogue.enter_installation(transaction, follows)
        copies.tell_shipped(transaction, 5)
        drills.add_drill(transaction, drill(2))
        drills.add_drill(transaction, drill(1, passed=False))

    database.write(enter)
    database.close()
    found = backupcheck.known(settings)
    assert found is not None
    assert (found.shipped, found.newest, found.passed, found.former) == (5, drill(1, False), drill(2), FORMER)


def test_keyrings_that_nobody_prunes(tmp_path: Path) -> None:
    target, known = Folder(tmp_path / "target"), Known(NOW, NOW, None, None, FORMER)
    target.lay(layout.manifest(FORMER, "data", 1), b"")
    assert state(backupcheck.left(target, known)) == []
    target.lay(layout.manifest(FORMER, "keyring", 1), b"")
    assert [one.name for one in backupcheck.left(target, known)] == ["former"]
    assert state(backupcheck.left(target, Known(NOW, NOW, None, None, None))) == []
    target.away = "target_unreachable"
    assert state(backupcheck.left(target, known)) == []
