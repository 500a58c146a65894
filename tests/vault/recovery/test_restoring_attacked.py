"""Restores of backups that are damaged, old, or another's: refused, the file named, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vault.conftest import SCHEMA_AT_HAND, Shop
from tests.vault.recovery import mutations
from tests.vault.recovery.made import Backups
from tests.vault.recovery.mutations import Mutation
from tests.vault.recovery.test_restoring import PLAIN, backups, is_empty, refuse
from vault.backup import layout
from vault.errors import BackupDamaged, BackupReplayed, BackupUntrusted, InvalidCheckpoint, KeyringTooOld
from vault.recovery.restored import Wanted

__all__ = ["backups"]
SEED, BAD = 7, 20
pytestmark = [PLAIN, SCHEMA_AT_HAND]


def installation(backups: Backups) -> str:
    (one,) = backups.archive().installations()
    return one


def test_twenty_bad_backups_are_refused_and_their_files_named(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    shop.tokenize("phone", "13800138000", "13800138001", subjects=["a", None])
    backups.make()
    shop.tokenize("phone", "13800138002")
    backups.make("incremental")
    choice = backups.archive().choose(installation(backups))
    for bad in mutations.bad_backups(backups.folder, mutations.places(choice), SEED, BAD):
        with bad.on(backups.folder):
            _refused(backups, empty_url, bad)
    assert backups.restore(empty_url).number == 2


def _refused(backups: Backups, url: str, bad: Mutation) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the codes say which
        backups.restore(url)
    assert getattr(refused.value, "code", "") in bad.codes, bad.name
    assert isinstance(refused.value, BackupDamaged)
    assert (refused.value.file, refused.value.chunk) in bad.named, bad.name
    assert is_empty(url)


def test_a_keyring_older_than_the_data_need_is_refused(shop: Shop, backups: Backups, empty_url: str) -> None:
    backups.make()
    shop.tokenize("phone", "13800138000", subjects=["a"])
    backups.make()
    newest = backups.folder / layout.manifest(installation(backups), "keyring", 2)
    newest.rename(newest.with_name("kept"))
    error = refuse(backups, empty_url, KeyringTooOld)
    assert isinstance(error, KeyringTooOld)
    assert error.file.endswith("0000000001.txt")
    newest.with_name("kept").rename(newest)
    assert backups.restore(empty_url).keyring == 2


def test_an_old_state_is_not_taken_for_the_newest_by_who_knows_better(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    backups.make()
    refuse(backups, empty_url, BackupReplayed, Wanted(at_least=2))
    assert backups.restore(empty_url, Wanted(at_least=1)).number == 1


def test_nobody_else_s_signature_is_taken(
    shop: Shop, backups: Backups, empty_url: str, tmp_path: Path
) -> None:
    from tests.vault.conftest import open_shop

    backups.make()
    other = open_shop(f"sqlite:///{tmp_path}/other.db")
    theirs = Backups(other, tmp_path / "others")
    theirs.make()
    backups.verifiers = theirs.verifiers
    refuse(backups, empty_url, BackupUntrusted)
    other.vault.close()


def test_a_checkpoint_of_nobody_or_without_a_signature_is_refused(
    shop: Shop, backups: Backups, empty_url: str
) -> None:
    backups.make()
    for note in ("rubbish", "strongroom/00000000000000ff/1\n1\n" + "A" * 43 + "=\n\n\u2014 a AAAAAAA=\n"):
        refuse(backups, empty_url, InvalidCheckpoint, Wanted(checkpoints=[note]))
