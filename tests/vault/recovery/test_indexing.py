"""The process that works out the index of a restore: it does the same, and what it cannot do is done without it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from keys.openkeys import TenantKeys
from tests.vault.conftest import Shop
from tests.vault.recovery.made import Backups
from vault.recovery import indexing
from vault.store.writer import Transaction

PLAIN = pytest.mark.parametrize(("database_url", "empty_url"), [("sqlite", "sqlite")], indirect=True)
PHONES = [f"138001380{number:02}" for number in range(20)]


@pytest.fixture
def backups(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backups:
    """A backup of tokens, one of which does not open, of which even few are worth a process."""
    monkeypatch.setattr(indexing, "MANY", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    shop.tokenize("phone", *PHONES, subjects=[phone if phone < PHONES[7] else None for phone in PHONES])
    shop.tokenize("phone", *PHONES[:5], deterministic=True)
    shop.tokenize("phone", PHONES[0], kind="one_way")
    shop.tokenize("login_name", "damaged")
    shop.resources.database.write(_damage)
    made = Backups(shop, tmp_path / "target")
    made.make()
    return made


def _damage(transaction: Transaction) -> None:
    transaction.connection.exec_driver_sql("UPDATE token SET sealed = x'00' WHERE field = 'login_name'")


def require_indexed(shop: Shop, backups: Backups, url: str) -> None:
    """Assert that a restore loses what does not open, and nothing else."""
    told = backups.restore(url)
    assert told.unreadable == {"tokens": 1}
    with backups.opened(url) as again:
        assert again.count("index_entry") == shop.count("index_entry") - 1
        found = again.vault.find(again.actor, "phone", PHONES)
        assert found == shop.vault.find(shop.actor, "phone", PHONES)
        assert not found.errors


@PLAIN
def test_the_process_does_all_of_it(
    shop: Shop, backups: Backups, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        indexing, "Reindexer", lambda _: None
    )  # of this process: the restore's, not the child's
    require_indexed(shop, backups, empty_url)


@PLAIN
def test_one_that_dies_is_done_without(
    shop: Shop, backups: Backups, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, killed = indexing._started, list[int]()

    def started(keys: Mapping[int, TenantKeys]) -> subprocess.Popen[bytes] | None:
        child = start(keys)
        assert child is not None
        child.kill()
        killed.append(child.wait())
        return child

    monkeypatch.setattr(indexing, "_started", started)
    require_indexed(shop, backups, empty_url)
    assert killed == [-9]


@PLAIN
def test_none_that_can_be_started_is_done_without(
    shop: Shop, backups: Backups, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    require_indexed(shop, backups, empty_url)
