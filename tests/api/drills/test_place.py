"""Where a drill restores to: nothing is left of it, and nothing of anybody else's goes."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from api.drills import place
from tests.databases import new_database
from vault.errors import DatabaseNotEmpty
from vault.store import migrate
from vault.store.database import Database


def opened(url: str) -> Database:
    return Database(url, time.time, time.monotonic)


@pytest.mark.parametrize("ends", [None, ValueError, SystemExit, KeyboardInterrupt])
def test_the_file_goes_however_it_ends(tmp_path: Path, ends: type[BaseException] | None) -> None:
    def work() -> None:
        with place.scratch(None, tmp_path, 0) as url:
            (folder,) = tmp_path.iterdir()
            assert folder.stat().st_mode & 0o777 == 0o700
            with closing(opened(url)) as database:
                migrate.upgrade(database)
            if ends is not None:
                raise ends

    if ends is None:
        work()
    else:
        with pytest.raises(ends):
            work()
    assert list(tmp_path.iterdir()) == []


def test_what_killed_drills_left_goes_and_what_others_use_stays(tmp_path: Path) -> None:
    left, strange = tmp_path / f"{place.PREFIX}left", tmp_path / "other"
    for folder in (left, strange):
        folder.mkdir()
        (folder / "scratch.db").write_text("x")
    (tmp_path / f"{place.PREFIX}link").symlink_to(strange)
    with place.scratch(None, tmp_path, 0) as url:
        assert not left.exists()
        with place.scratch(None, tmp_path, 0):
            assert Path(url.removeprefix("sqlite:///")).parent.is_dir()
    assert (strange / "scratch.db").exists()


@pytest.mark.parametrize("ends", [None, SystemExit])
def test_a_borrowed_database_is_empty_again(
    postgres: str, tmp_path: Path, ends: type[BaseException] | None
) -> None:
    with new_database("postgresql", tmp_path, postgres) as url:

        def work() -> None:
            with place.scratch(url, None, 0) as given:
                assert given == url
                with closing(opened(url)) as database:
                    migrate.upgrade(database)
                if ends is not None:
                    raise ends

        if ends is None:
            work()
        else:
            with pytest.raises(ends):
                work()
        with place.scratch(url, None, 0):
            pass


def test_a_database_with_anything_in_it_is_not_borrowed(postgres: str, tmp_path: Path) -> None:
    with new_database("postgresql", tmp_path, postgres) as url, closing(opened(url)) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE mine (id integer)")
        with pytest.raises(DatabaseNotEmpty), place.scratch(url, None, 0):
            pytest.fail("it was given")
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM mine").scalar() == 0
