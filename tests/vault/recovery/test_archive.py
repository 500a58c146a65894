"""Chunks of a backup: opened in their order, a few ahead, held against their manifest; checked with no key."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from keys import identity
from keys.secret import Secret
from tests.vault.backup.written import INSTALLATION, Written
from tests.vault.recovery.folder import Folder
from vault.backup import envelope, layout
from vault.backup.model import Manifest
from vault.errors import BackupDamaged, TargetFailed
from vault.recovery import checking
from vault.recovery.archive import Archive
from vault.recovery.checking import Problem
from vault.recovery.chunks import AHEAD
from vault.store.cells import columns
from vault.store.streams import Block


class Watched(Folder):
    """A folder that remembers what was asked of it, and by which thread; it fails from the chunk of a number on."""

    def __init__(self, root: Path, fails_at: int = 10**9) -> None:
        super().__init__(root)
        self.got: list[str] = []
        self.threads: set[int] = set()
        self.fails_at = fails_at

    def get(self, path: str) -> bytes:
        self.got.append(path)
        self.threads.add(threading.get_ident())
        if len(self.got) > self.fails_at:
            raise TargetFailed("target_unreachable", "gone")
        return super().get(path)


@pytest.fixture
def many(tmp_path: Path) -> tuple[Written, Manifest]:
    """A manifest of twenty chunks."""
    backup = Written(tmp_path)
    backup.add("keyring", 1, "full", [])
    parts = [[Block("approval", ["proposal", "caller"], [(f"{n}", "a")])] for n in range(20)]
    return backup, backup.add("data", 1, "full", parts)


def test_chunks_come_in_their_order_from_one_thread_and_few_ahead(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    target = Watched(backup.folder)
    found = Archive(target, []).blocks(manifest, [backup.identity])
    for number, blocks in enumerate(found):
        assert blocks[0].rows == [(f"{number}", "a")]
        assert len(target.got) <= number + 1 + AHEAD
    assert len(target.got) == 20
    assert len(target.threads) == 1
    assert threading.get_ident() not in target.threads


def test_who_stops_reading_leaves_nothing_running(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    before = {*threading.enumerate()}
    target = Watched(backup.folder)
    found = Archive(target, []).blocks(manifest, [backup.identity])
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert {*threading.enumerate()} <= before
    assert len(target.got) <= 1 + AHEAD


def test_a_target_that_fails_halfway_is_told_after_what_it_gave(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    found = Archive(Watched(backup.folder, fails_at=7), []).blocks(manifest, [backup.identity])
    for number in range(7):
        assert next(found)[0].rows == [(f"{number}", "a")]
    with pytest.raises(TargetFailed):
        next(found)


def test_any_of_several_identities_opens(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    found = Archive(Folder(backup.folder), []).blocks(manifest, [Secret.random(), backup.identity])
    assert next(found)[0].rows == [("0", "a")]


def test_a_chunk_that_is_signed_and_yet_no_rows_is_damaged(tmp_path: Path) -> None:
    """Its digest is right and a recipient opens it: what wrote it was broken."""
    backup = Written(tmp_path)
    backup.add("keyring", 1, "full", [])
    to = [identity.recipient(backup.identity)]
    for number, (stored, rows) in enumerate((
        (b"rubbish", {}),
        (envelope.seal(b"rubbish", to), {}),
        (envelope.seal(b"\x91\x93\xa5token\x90\x90", to), {}),
    )):  # fmt: skip
        chunk = backup.stored("data", stored, rows)
        manifest = backup.add("data", number + 1, "full", [], chunks=[chunk])
        with pytest.raises(BackupDamaged) as raised:
            list(Archive(Folder(tmp_path), []).blocks(manifest, [backup.identity]))
        assert (raised.value.file, raised.value.chunk) == (
            layout.chunk(INSTALLATION, "data", chunk.digest),
            0,
        )


@pytest.mark.parametrize("told", [{}, {"approval": 2}, {"approval": 1, "token": 1}, {"token": 1}])
def test_other_rows_than_the_manifest_says_are_damage(tmp_path: Path, told: dict[str, int]) -> None:
    backup = Written(tmp_path)
    backup.add("keyring", 1, "full", [])
    chunk = backup.chunk("data", [Block("approval", ["proposal", "caller"], [("1", "a")])])
    manifest = backup.add("data", 1, "full", [], chunks=[replace(chunk, rows=told)])
    with pytest.raises(BackupDamaged, match="other rows"):
        list(Archive(Folder(tmp_path), []).blocks(manifest, [backup.identity]))


def test_rows_of_the_other_stream_are_damage(tmp_path: Path) -> None:
    """A data chunk cannot carry keys past the rule that the newest keyring is loaded."""
    backup = Written(tmp_path)
    backup.add("keyring", 1, "full", [])
    chunk = backup.chunk("data", [Block("departure", list(columns("departure")), [])])
    manifest = backup.add("data", 1, "full", [], chunks=[replace(chunk, rows={})])
    with pytest.raises(BackupDamaged, match="other rows"):
        list(Archive(Folder(tmp_path), []).blocks(manifest, [backup.identity]))


def test_a_check_with_no_key_names_what_is_missing_cut_or_altered(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    files = [backup.folder / layout.chunk(INSTALLATION, "data", chunk.digest) for chunk in manifest.chunks]
    files[3].unlink()
    files[5].write_bytes(files[5].read_bytes()[:-1])
    whole = files[7].read_bytes()
    files[7].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    archive = Archive(Folder(backup.folder), [])
    wrong = {3: "missing", 5: "size", 7: "altered"}
    expected = [
        Problem(layout.chunk(INSTALLATION, "data", chunk.digest), number, wrong[number])  # type: ignore[arg-type]
        if number in wrong
        else None
        for number, chunk in enumerate(manifest.chunks)
    ]
    assert list(archive.check(manifest)) == expected
    assert [problem.chunk for problem in archive.check(manifest, 0) if problem] == [3, 5]


def test_a_check_reads_the_share_that_was_asked_for(many: tuple[Written, Manifest]) -> None:
    backup, manifest = many
    target, draws = Watched(backup.folder), iter([0.04, 0.05, 0.9, 0.0] * 5)
    listed = checking.sizes(target, INSTALLATION, "data")
    assert list(checking.checked(target, manifest, 0.05, listed, lambda: next(draws))) == [None] * 20
    assert len(target.got) == 10
