"""Which backup is loaded: the newest that is whole, one by number or time; an old or broken line is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.vault.backup import written
from tests.vault.backup.written import HOUR, INSTALLATION, Written
from tests.vault.recovery.folder import Folder
from vault.backup import layout
from vault.backup.model import Link, Manifest
from vault.errors import (
    BackupDamaged,
    BackupFromNewer,
    BackupReplayed,
    BackupUntrusted,
    KeyringTooOld,
    UnknownBackup,
)
from vault.recovery.archive import Archive
from vault.store.streams import Stream


@pytest.fixture
def backup(tmp_path: Path) -> Written:
    """Keyrings 1 and 2; data 1 (full), 2, 4 (journal)."""
    return written.small(tmp_path)


@pytest.fixture
def archive(backup: Written) -> Archive:
    return Archive(Folder(backup.folder), backup.verifiers)


def numbers(manifests: list[Manifest]) -> list[int]:
    return [manifest.number for manifest in manifests]


def path(stream: Stream, number: int) -> str:
    return layout.manifest(INSTALLATION, stream, number)


def harm(backup: Written, stream: Stream, number: int) -> str:
    """Turn a bit of a manifest over and return its path."""
    found = backup.folder / path(stream, number)
    found.write_bytes(found.read_bytes().replace(b"keyring", b"keyrinG", 1))
    return path(stream, number)


def test_the_newest_comes_with_all_that_it_builds_on_and_the_newest_keyring(
    backup: Written, archive: Archive
) -> None:
    choice = archive.choose(INSTALLATION)
    assert numbers(choice.data) == [1, 2, 4]
    assert numbers(choice.keyring) == [1, 2]
    assert choice.origin.installation == INSTALLATION
    assert Link(choice.origin.number, choice.origin.digest) == backup.link("data", 4)


def test_a_target_says_what_it_has(backup: Written, archive: Archive) -> None:
    written.small(backup.folder, "00000000000000b2")
    assert archive.installations() == [INSTALLATION, "00000000000000b2"]
    assert archive.numbers(INSTALLATION, "data") == [1, 2, 4]
    manifest, note = archive.manifest(INSTALLATION, "data", 2)
    assert manifest == backup.made["data", 2]
    assert note.encode() == (backup.folder / path("data", 2)).read_bytes()
    with pytest.raises(UnknownBackup):
        archive.manifest(INSTALLATION, "data", 3)


def test_one_is_had_by_its_number_with_the_newest_keyring(archive: Archive) -> None:
    choice = archive.choose(INSTALLATION, number=1)
    assert (numbers(choice.data), numbers(choice.keyring)) == ([1], [1, 2])
    with pytest.raises(UnknownBackup):
        archive.choose(INSTALLATION, number=3)


@pytest.mark.parametrize(("at", "found"), [(HOUR, 1), (2 * HOUR, 2), (4 * HOUR - 1, 2), (9 * HOUR, 4)])
def test_one_is_had_by_its_time(archive: Archive, at: int, found: int) -> None:
    assert archive.choose(INSTALLATION, at=at).data[-1].number == found


def test_before_the_first_there_is_none(archive: Archive) -> None:
    with pytest.raises(UnknownBackup):
        archive.choose(INSTALLATION, at=HOUR - 1)
    with pytest.raises(UnknownBackup):
        archive.choose("00000000000000b2")


def test_a_clock_that_was_wrong_does_not_hide_what_came_later(backup: Written, archive: Archive) -> None:
    backup.add("data", 5, "journal", [], taken_at=900 * HOUR)
    backup.add("data", 6, "journal", [])
    assert archive.choose(INSTALLATION, at=6 * HOUR).data[-1].number == 6


def test_a_damaged_newest_one_is_an_error_and_passed_over_only_by_name(
    backup: Written, archive: Archive
) -> None:
    damaged = harm(backup, "data", 4)
    for at in (None, 9 * HOUR):
        with pytest.raises(BackupUntrusted) as raised:
            archive.choose(INSTALLATION, at=at)
        assert raised.value.file == damaged
        choice = archive.choose(INSTALLATION, at=at, lenient=True)
        assert (numbers(choice.data), choice.passed_over) == ([1, 2], (damaged,))


def test_with_all_damaged_the_newest_ones_fault_is_told(backup: Written, archive: Archive) -> None:
    damaged = [harm(backup, "data", number) for number in (1, 2, 4)]
    with pytest.raises(BackupUntrusted) as raised:
        archive.choose(INSTALLATION, lenient=True)
    assert raised.value.file == damaged[-1]


def test_a_link_that_is_missing_breaks_what_builds_on_it(backup: Written, archive: Archive) -> None:
    (backup.folder / path("data", 2)).unlink()
    with pytest.raises(BackupDamaged) as raised:
        archive.choose(INSTALLATION)
    assert raised.value.file == path("data", 2)
    choice = archive.choose(INSTALLATION, lenient=True)
    assert (numbers(choice.data), choice.passed_over) == ([1], (path("data", 4),))


def test_what_no_manifest_of_a_chain_has_is_missed(backup: Written, archive: Archive) -> None:
    backup.add("data", 5, "journal", [], since=backup.made["data", 4].until + 1)
    with pytest.raises(BackupDamaged, match="in neither") as raised:
        archive.choose(INSTALLATION)
    assert raised.value.file == path("data", 4)


def test_another_manifest_under_a_number_that_is_named_is_a_replay(backup: Written, archive: Archive) -> None:
    """The database was set back, numbered anew, and what it made lies where what it had made lay."""
    backup.lay(replace(backup.made["data", 2], taken_at=5))
    with pytest.raises(BackupReplayed) as raised:
        archive.choose(INSTALLATION)
    assert raised.value.file == path("data", 2)


def test_the_one_before_is_held_against_its_digest_though_nothing_builds_on_it(
    backup: Written, archive: Archive
) -> None:
    backup.add("data", 5, "full", [])
    backup.lay(replace(backup.made["data", 4], taken_at=5))
    with pytest.raises(BackupReplayed) as raised:
        archive.choose(INSTALLATION)
    assert raised.value.file == path("data", 4)


@pytest.mark.parametrize("gone", [True, False])
def test_the_one_before_may_be_removed_or_damaged_where_it_is_not_needed(
    backup: Written, archive: Archive, gone: bool
) -> None:
    backup.add("data", 5, "full", [])
    if gone:
        (backup.folder / path("data", 4)).unlink()
    else:
        harm(backup, "data", 4)
    assert numbers(archive.choose(INSTALLATION).data) == [5]


@pytest.mark.parametrize("stream", ["keyring", "data"])
def test_less_than_is_known_to_have_been_made_is_a_replay(
    backup: Written, archive: Archive, stream: Stream
) -> None:
    with pytest.raises(BackupReplayed) as raised:
        archive.choose(INSTALLATION, at_least={stream: 5})
    assert raised.value.file == path(stream, 5)
    assert archive.choose(INSTALLATION, at_least={"keyring": 2, "data": 4}).data


def test_a_keyring_older_than_any_of_the_data_names_is_refused(backup: Written, archive: Archive) -> None:
    (backup.folder / path("keyring", 2)).unlink()
    with pytest.raises(KeyringTooOld) as raised:
        archive.choose(INSTALLATION)
    assert raised.value.file == path("keyring", 1)
    assert numbers(archive.choose(INSTALLATION, number=1).keyring) == [1]


def test_a_damaged_keyring_is_not_passed_over_for_one_that_is_too_old(
    backup: Written, archive: Archive
) -> None:
    harm(backup, "keyring", 2)
    with pytest.raises(BackupUntrusted):
        archive.choose(INSTALLATION)
    with pytest.raises(KeyringTooOld):
        archive.choose(INSTALLATION, lenient=True)


def test_a_later_schema_is_for_a_later_version(backup: Written, archive: Archive) -> None:
    later = backup.add("data", 5, "full", [], schema="9999", counts={"a_table_to_come": 1})
    with pytest.raises(BackupFromNewer):
        archive.choose(INSTALLATION)
    with pytest.raises(BackupFromNewer):
        archive.blocks(later, [backup.identity])
    assert archive.manifest(INSTALLATION, "data", 5)[0] == later
    assert numbers(archive.choose(INSTALLATION, number=4).data) == [1, 2, 4]
