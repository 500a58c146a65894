"""A directory as a target: modes, links, drafts of the dead, and a disk that is not there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.protocol import TargetFailed

CHUNK = "00000000deadbeef/data/chunks/ab"


def opened(root: Path, options: str = "") -> Bounded:
    return open_target(f"file:{root}{options}", Surroundings(time.monotonic))


def problem(target: Bounded, path: str = CHUNK) -> str:
    with pytest.raises(TargetFailed) as failure:
        target.put(path, b"secret")
    return failure.value.problem


def test_files_and_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    opened(tmp_path).put(CHUNK, b"x")
    assert (tmp_path / CHUNK).stat().st_mode & 0o777 == 0o600
    for folder in (tmp_path / ".tmp", *list((tmp_path / CHUNK).parents)[:3]):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("linked", ["00000000deadbeef", "00000000deadbeef/data", CHUNK, ".tmp"])
def test_no_link_below_the_folder_is_followed(tmp_path: Path, linked: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / linked).parent.mkdir(parents=True)
    (outside / "data" / "chunks").mkdir(parents=True)
    (outside / "chunks").mkdir()
    (root / linked).symlink_to(outside)
    before = sorted(outside.rglob("*"))
    assert problem(opened(root)) == "target_broken"
    assert sorted(outside.rglob("*")) == before
    (outside / "file").write_bytes(b"of somebody else")
    assert list(opened(root).files("")) == []


def test_a_link_in_a_files_place_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"of somebody else")
    (tmp_path / CHUNK).parent.mkdir(parents=True)
    for odd in (
        lambda: (tmp_path / CHUNK).symlink_to(tmp_path / "file"),
        lambda: os.mkfifo(tmp_path / CHUNK),
    ):
        odd()
        with pytest.raises(TargetFailed) as failure:
            opened(tmp_path).get(CHUNK)
        assert failure.value.problem == "target_broken"
        (tmp_path / CHUNK).unlink()


def test_a_folder_that_is_a_link_itself_is_the_operators_choice(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    opened(tmp_path / "link").put(CHUNK, b"x")
    assert (tmp_path / "real" / CHUNK).read_bytes() == b"x"


def test_drafts_of_the_dead_are_cleared_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    drafts = tmp_path / ".tmp"
    drafts.mkdir()
    for name, age in (("dead", 2 * 86_400), ("living", 3_600)):
        (drafts / name).write_bytes(b"half")
        os.utime(drafts / name, (time.time() - age, time.time() - age))
    opened(tmp_path).probe()
    assert [one.name for one in drafts.iterdir()] == ["living"]


def test_a_disk_that_is_not_mounted_is_none_to_write_to(tmp_path: Path) -> None:
    """Else backups would fill the disk of the machine that they are to survive."""
    assert problem(opened(tmp_path, "?mounted=yes")) == "target_removed"
    assert list(tmp_path.iterdir()) == []
    opened(Path("/dev/shm"), "?mounted=yes").probe()
    assert problem(opened(tmp_path / "nowhere")) == "target_removed"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 1 << 40)
    with pytest.raises(TargetFailed) as failure:
        opened(tmp_path).get("huge")
    assert failure.value.problem == "target_broken"
