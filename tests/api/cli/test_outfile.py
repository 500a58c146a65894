"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from api.cli import outfile
from api.cli.failure import Failure


def test_a_file_is_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    old = os.umask(0)
    try:
        with outfile.created(path) as file:
            file.write("a\r\n")
            assert not path.exists()
    finally:
        os.umask(old)
    assert path.read_bytes() == b"a\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("force", [False, True])
def test_nothing_is_left_of_a_failure(tmp_path: Path, force: bool) -> None:
    path = tmp_path / "out.csv"
    if force:
        path.write_text("old")

    def interrupted() -> None:
        with outfile.created(path, force) as file:
            file.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == (["out.csv"] if force else [])
    assert not force or path.read_text() == "old"


def test_what_came_to_be_there_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(Failure, match="came to exist meanwhile"), outfile.created(path):
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_force_replaces(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    path.chmod(0o644)
    with outfile.created(path, force=True) as file:
        file.write("new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_source_is_never_replaced(tmp_path: Path) -> None:
    source, link = tmp_path / "in.csv", tmp_path / "link.csv"
    source.write_text("values")
    link.symlink_to(source)
    for path in (source, link):
        with pytest.raises(Failure, match="is the file that is read"):
            outfile.check(path, force=True, source=str(source))
