"""What every target must do, with the real place behind it: keep what it took, and overwrite nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Thread

import pytest

from tests.vault.recovery.targets.conftest import KINDS
from tests.vault.recovery.targets.places import Place
from vault.recovery.targets import patience
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.protocol import CODES, File, MissingFile, TargetFailed

HERE = "00000000deadbeef"
CHUNK, KEYS = f"{HERE}/data/chunks/ab", f"{HERE}/keyring/chunks/ab"
FOLDERS = ("directory", "sftp")  # kinds that have folders, links and the like
SIZES = (0, 1, 32_768, 3 * 1_048_576 + 17)


@pytest.mark.parametrize("size", SIZES)
def test_it_keeps_what_it_took(place: Place, size: int) -> None:
    target, data = place.target(), os.urandom(size)
    target.put(CHUNK, data)
    assert target.get(CHUNK) == place.target().get(CHUNK) == data
    assert place.held() == {CHUNK: data}


def test_the_same_again_is_fine(place: Place) -> None:
    target = place.target()
    for _ in range(3):
        target.put(CHUNK, b"whole")
    assert place.held() == {CHUNK: b"whole"}


def test_nothing_is_overwritten(place: Place) -> None:
    target = place.target()
    target.put(CHUNK, b"whole")
    for other in (b"other", b"", b"whole and more"):
        with pytest.raises(TargetFailed) as failure:
            target.put(CHUNK, other)
        assert failure.value.problem == "target_differs"
    assert target.get(CHUNK) == b"whole"


def test_of_two_that_put_at_once_one_wins(place: Place) -> None:
    """Whoever loses is told, and what lies there is one of the two, whole."""
    problems: list[str] = []

    def put(data: bytes) -> None:
        try:
            place.target().put(CHUNK, data)
        except TargetFailed as failure:
            problems.append(failure.problem)

    both = [bytes([number]) * 200_000 for number in (1, 2)]
    threads = [Thread(target=put, args=[data]) for data in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == ["target_differs"]
    assert place.target().get(CHUNK) in both


def test_what_is_not_there_is_missing(place: Place) -> None:
    target = place.target()
    for path in (CHUNK, f"{HERE}/data", "elsewhere"):
        with pytest.raises(MissingFile):
            target.get(path)
    target.put(CHUNK, b"whole")
    with pytest.raises(MissingFile):
        target.get(CHUNK + "c")
    assert list(target.files("ffffffffffffffff/")) == []


def test_what_was_deleted_is_gone_and_may_come_again(place: Place) -> None:
    target = place.target()
    target.put(CHUNK, b"whole")
    for _ in range(2):
        target.delete(CHUNK)
        target.delete(f"{HERE}/nowhere/at/all")
    assert place.held() == {}
    target.put(CHUNK, b"other")
    assert target.get(CHUNK) == b"other"


def test_files_are_named_in_order_and_whatever_else_lies_there_is_not(place: Place) -> None:
    target = place.target()
    sizes = {
        f"{HERE}/data/{name}": size
        for size, name in enumerate(("b", "a/c", "a-", "a.", "a", "B"))
        if name != "a"
    }
    for path, size in sizes.items():
        target.put(path, bytes(size))
    target.put(KEYS, b"")
    target.put("ffffffffffffffff/x", b"")
    for odd in (".hidden", "with space", ".tmp/draft"):
        (place.folder / HERE / "data" / odd).parent.mkdir(exist_ok=True)
        (place.folder / HERE / "data" / odd).write_bytes(b"")
    found = list(target.files(f"{HERE}/data/"))
    assert found == [File(path, sizes[path]) for path in sorted(sizes)]
    assert [file.path for file in target.files("")] == sorted([*sizes, KEYS, "ffffffffffffffff/x"])


def test_a_listing_has_more_than_a_page(place: Place) -> None:
    target, names = place.target(), [f"{HERE}/data/{number:04}" for number in range(1_201)]
    target.put(names[0], b"x")
    for name in names[1:]:
        (place.folder / name).write_bytes(b"x")
    assert list(target.files(f"{HERE}/data/")) == [File(name, 1) for name in names]


@pytest.mark.parametrize("place", FOLDERS, indirect=True)
def test_folders_in_folders_without_end_are_not_followed(place: Place) -> None:
    """Neither memory nor time is at the mercy of who has the server."""
    target = place.target()
    target.put(CHUNK, b"x")
    deep = place.folder / HERE / "data" / "/".join("d" * 100)
    os.makedirs(deep)
    (deep / "file").write_bytes(b"x")
    assert list(target.files(f"{HERE}/data/")) == [File(CHUNK, 1)]


@pytest.mark.parametrize("place", FOLDERS, indirect=True)
def test_whatever_is_listed_counts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no file is not named, but a server that never comes to an end of it is given up all the same."""
    monkeypatch.setattr(patience, "MOST_FILES", 100)
    target = place.target()
    target.put(CHUNK, b"x")
    for number in range(120):
        (place.folder / HERE / "data" / f"link{number}").symlink_to(place.folder)
    with pytest.raises(TargetFailed) as failure:
        list(target.files(f"{HERE}/data/"))
    assert failure.value.problem == "target_broken"


def test_a_damaged_file_is_read_as_it_is(place: Place) -> None:
    """Whether it is what it should be, the digests say, which a target does not know."""
    target = place.target()
    target.put(CHUNK, b"whole")
    (place.folder / CHUNK).write_bytes(b"whoLe!")
    assert target.get(CHUNK) == b"whoLe!"
    with pytest.raises(TargetFailed) as failure:
        target.put(CHUNK, b"whole")
    assert failure.value.problem == "target_differs"


def test_a_probe_leaves_nothing(place: Place) -> None:
    target = place.target()
    for _ in range(2):
        target.probe()
    assert list(target.files("")) == []
    assert [one for one in place.folder.rglob("*") if one.is_file()] == []
    assert target.weaknesses() == []


def test_a_closed_one_opens_again(place: Place) -> None:
    target = place.target()
    target.put(CHUNK, b"whole")
    target.close()
    assert target.get(CHUNK) == b"whole"


@pytest.mark.parametrize("path", ["../x", "a/../x", "/x", "a//x", "", ".tmp/x", "a/.x", "a\0", "a b", "a/"])
def test_no_path_leads_elsewhere(path: str, tmp_path: Path) -> None:
    target = open_target(f"file:{tmp_path}", Surroundings(time.monotonic))
    for call in (target.get, target.delete, lambda path: target.put(path, b"")):
        with pytest.raises(ValueError, match="path"):
            call(path)


def test_every_code_of_a_fault_is_listed() -> None:
    assert {code for kind in KINDS.values() for code in kind.faults.values()} <= set(CODES)
