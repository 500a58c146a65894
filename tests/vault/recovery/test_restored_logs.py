"""Audit logs after a restore: the old one ends, the next names what is lost, and a damaged one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vault.audit import sealed
from tests.vault.conftest import SCHEMA_AT_HAND, Shop
from tests.vault.recovery.made import Backups
from tests.vault.recovery.test_restoring import ACROSS, PLAIN, backups
from vault.audit import answering, leaf
from vault.audit.answers import Query
from vault.audit.leaf import Record
from vault.recovery.restored import Wanted
from vault.store import auditlog

__all__ = ["backups"]
pytestmark = SCHEMA_AT_HAND


def first(shop: Shop, log: int) -> Record:
    """Return the record at position 0 of a log."""
    with shop.resources.database.read() as connection:
        (found,) = auditlog.leaves(connection, shop.actor.tenant, log, 0, 1)
    return leaf.decode(found.leaf)


def checkpoint(shop: Shop) -> str:
    """Return the newest checkpoint of the shop's log."""
    log = answering.log_of(shop.resources.database, shop.actor.tenant, None)
    found = answering.newest_checkpoint(shop.resources.database, log)
    assert found is not None
    return found.note


@ACROSS
def test_both_logs_hold_and_nothing_is_lost_of_the_newest_backup(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    token = shop.tokenize("phone", "13800138000", subjects=["a"])
    shop.plain(*token)
    sealed.sealer(shop.resources).run_once()
    backups.make()
    told = backups.restore(empty_url)
    (mine,) = [log for log in told.logs if log.tenant == shop.actor.tenant]
    size = len(sealed.check(shop))
    assert (mine.log, mine.lost_from, mine.lost_to, mine.damage) == (2, size, size - 1, [])
    with backups.opened(empty_url) as again:
        again.plain(*token)
        sealed.sealer(again.resources).run_once()
        assert sealed.check(again, 1) == sealed.check(shop, 1)
        operations = [leaf.decode(one).operation for one in sealed.check(again, 2)]
        assert operations[:3] == ["log_opened", "restore", "reveal"]
        audit = again.vault.audit
        records = audit.records(again.actor, Query(token=token[0])).records
        assert [(one.log, one.record.operation) for one in records] == [
            (2, "reveal"),
            (1, "reveal"),
            (1, "tokenize"),
        ]
        assert len(audit.records(again.actor, Query(person="a")).records) == 3


@PLAIN
def test_the_next_log_names_what_the_restored_one_does_not_have(
    shop: Shop, backups: Backups, empty_url: str, tmp_path: Path
) -> None:
    shop.tokenize("phone", "13800138000")
    sealed.sealer(shop.resources).run_once()
    size = len(sealed.check(shop))
    backups.make()
    shop.tokenize("phone", "13800138001")
    sealed.sealer(shop.resources).run_once()
    known = checkpoint(shop)
    backups.make()
    shop.tokenize("phone", "13800138002")
    sealed.sealer(shop.resources).run_once()
    for url, more, newest in (
        (empty_url, [], known),
        (f"{empty_url}-2", [checkpoint(shop)], checkpoint(shop)),
    ):
        told = backups.restore(url, Wanted(number=1, checkpoints=more))
        (mine,) = [log for log in told.logs if log.tenant == shop.actor.tenant]
        covered = int(newest.split("\n")[1])
        assert (mine.log, mine.lost_from, mine.lost_to) == (2, size, covered - 1)
        with backups.opened(url) as again:
            sealed.sealer(again.resources).run_once()
            opened = first(again, 2)
            assert opened.operation == "log_opened"
            assert opened.target == " ".join([*newest.split("\n")[:3], str(size), str(covered - 1)])


@PLAIN
@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        ("UPDATE audit_leaf SET leaf = CAST(leaf || x'00' AS BLOB) WHERE position = 1", "edited"),
        ("UPDATE audit_tile SET hashes = zeroblob(length(hashes)) WHERE level = 0", "tile_damaged"),
        ("DELETE FROM audit_leaf WHERE position = 1", "removed"),
        ("DELETE FROM audit_leaf WHERE position > 0", "cut_tail"),
    ],
)
def test_a_damaged_log_is_restored_as_it_is_and_told(
    shop: Shop, backups: Backups, empty_url: str, harm: str, kind: str
) -> None:
    for _ in range(3):
        shop.tokenize("phone", "13800138000")
    sealed.sealer(shop.resources).run_once()
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql(f"{harm} AND tenant = {shop.actor.tenant}")
    backups.make()
    told = backups.restore(empty_url)
    (mine,) = [log for log in told.logs if log.tenant == shop.actor.tenant]
    assert (told.whole, mine.damage[0][0]) == (False, kind)
    with backups.opened(empty_url) as again:
        sealed.sealer(again.resources).run_once()
        operations = [leaf.decode(one).operation for one in sealed.check(again, 2)]
        assert operations[:2] == ["log_opened", "restore"]


@PLAIN
def test_a_tenant_without_a_log_goes_on_with_the_second(shop: Shop, backups: Backups, empty_url: str) -> None:
    """The service that the backup is of may have begun the first by now."""
    backups.make()
    told = backups.restore(empty_url)
    assert {log.log for log in told.logs} == {2}
    with backups.opened(empty_url) as again:
        sealed.sealer(again.resources).run_once()
        assert again.vault.audit.status(again.actor).log == 2
        assert len(sealed.check(again, 2)) > 1
