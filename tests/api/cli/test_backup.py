"""`strongroom backup` over a real service that keeps its backups in two folders."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keys import identity
from keys.secret import Secret
from tests.api.cli.conftest import Command
from tests.service import NO_HASHER, Service, running
from tests.waiting import until


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("kept")
    for name in ("north", "south"):
        (folder / name).mkdir()
    (folder / "recipients").write_text(f"recovery {identity.recipient(Secret.random())}\n")
    settings = {
        "STRONGROOM_BACKUP_RECIPIENTS": f"{folder}/recipients",
        "STRONGROOM_WORKERS": "1",
        "STRONGROOM_BACKUP_TARGETS": f"file:{folder}/north file:{folder}/south",
        "STRONGROOM_BACKUP_JOURNAL_SECONDS": "0.3",
        **NO_HASHER,
    }
    with running(folder, f"sqlite:///{folder}/vault.db", **settings) as service:
        yield service


@pytest.fixture
def strongroom(kept: Service, tmp_path: Path) -> Command:
    (tmp_path / "key.txt").write_text(kept.keys["live"])
    return Command(
        tmp_path, {"STRONGROOM_URL": kept.url, "STRONGROOM_API_KEY_FILE": str(tmp_path / "key.txt")}
    )


def told(strongroom: Command, *arguments: str) -> Any:
    return json.loads(strongroom(*arguments, "--json").stdout)


def chunks(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/data/chunks/*"))


def test_a_backup_is_made_listed_and_well(kept: Service, strongroom: Command) -> None:
    kept.post("/v1/tokens", {"field": "phone", "value": "+8613800138000"})
    done = strongroom("backup", "create")
    assert (done.returncode, "make backup (full): done" in done.stdout) == (0, True), done
    assert strongroom("backup", "create", "--incremental").returncode == 0
    listed = told(strongroom, "backup", "list")["backups"]
    assert [one["kind"] for one in listed][:2] == ["incremental", "full"]
    (full,) = [one for one in listed if one["kind"] == "full"][:1]
    assert {copy["target"] for copy in full["copies"]} == {
        f"file:{kept.folder}/{name}" for name in ("north", "south")
    }
    assert full["rows"] > 0
    lines = strongroom("backup", "list", "--stream", "keyring", "--journals").stdout.splitlines()
    assert lines[0].startswith("number\tkind\tbase")
    assert len(lines) > 1
    until(lambda: strongroom("backup", "status").returncode == 0)
    assert "2 servers hold all of the newest backup" in strongroom("backup", "status").stdout


def test_what_is_shipped_catches_up_with_what_is_written(kept: Service, strongroom: Command) -> None:
    kept.post("/v1/tokens", {"field": "phone", "value": "+8613900139000"})
    before = told(strongroom, "backup", "status")["shipped_until"]
    until(lambda: (told(strongroom, "backup", "status")["shipped_until"] or "") > (before or ""))


def test_one_byte_at_a_server_is_found_named_and_mended(kept: Service, strongroom: Command) -> None:
    strongroom("backup", "create")
    victim = chunks(kept.folder / "north")[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = strongroom("backup", "verify", "--read-data", "100%")
    assert done.returncode == 6, done
    assert victim.name in done.stdout
    assert re.match(r"verify backups: done, [\d.]+ MB\n", done.stdout), done
    assert f"altered\tfile:{kept.folder}/north\t" in done.stdout
    assert victim.read_bytes() == whole
    assert strongroom("backup", "verify", "--read-data", "100%").returncode == 0


def test_damage_everywhere_is_told_and_stays(kept: Service, strongroom: Command) -> None:
    strongroom("backup", "create")
    here = chunks(kept.folder / "north")[-1]
    there = kept.folder / "south" / here.relative_to(kept.folder / "north")
    whole = here.read_bytes()
    here.write_bytes(b"x" + whole[1:])
    there.write_bytes(b"y" + whole[1:])
    try:
        assert strongroom("backup", "verify", "--read-data", "100%").returncode == 5
    finally:
        for one in (here, there):
            one.unlink(missing_ok=True)
            one.write_bytes(whole)
    strongroom("backup", "verify", "--read-data", "100%")


def test_a_server_that_is_gone_shows(kept: Service, strongroom: Command) -> None:
    until(lambda: strongroom("backup", "status").returncode == 0)
    away = kept.folder / "away"
    shutil.move(kept.folder / "south", away)
    try:
        assert strongroom("backup", "verify", "--target", f"file:{kept.folder}/south").returncode in {3, 7}
        until(lambda: strongroom("backup", "status").returncode in {3, 7, 8})
        assert strongroom("backup", "verify", "--target", "file:/nowhere").returncode == 4
    finally:
        shutil.move(away, kept.folder / "south")
    until(lambda: strongroom("backup", "status").returncode == 0, 90)


def test_what_would_go_is_told_first(strongroom: Command) -> None:
    def numbers() -> set[int]:
        return {one["number"] for one in told(strongroom, "backup", "list")["backups"]}

    before = numbers()
    done = strongroom("backup", "prune")
    assert (done.returncode, "manifests: " in done.stdout) == (0, True), done
    assert numbers() >= before
    done = strongroom("backup", "prune", "--former", "--yes")
    assert (done.returncode, "installations: 0" in done.stdout) == (0, True), done  # it follows none
    assert numbers() >= before


def test_keys_are_printed_and_turned(strongroom: Command) -> None:
    (first,) = strongroom("backup", "keys").stdout.splitlines()
    assert first.startswith("strongroom/")
    newer = strongroom("backup", "keys", "--rotate", "--yes").stdout.splitlines()
    assert len(newer) == 2
    assert first == newer[1]


def test_who_is_no_operator_gets_nothing(kept: Service, strongroom: Command) -> None:
    _, made = kept.post("/v1/apikeys", {"name": "custodian", "operations": ["keys", "custody", "audit"]})
    strongroom.write("key.txt", str(made["key"]))
    for asked in ("status", "list", "create", "keys", "prune", "verify", "drills"):
        done = strongroom("backup", asked)
        assert (done.returncode, "the operation backups" in done.stderr) == (4, True), done


def test_without_servers_it_says_so(strongroom: Command, served: Service) -> None:
    strongroom.write("key.txt", served.keys["test"])
    done = strongroom("backup", "create", STRONGROOM_URL=served.url)
    assert done.returncode == 4
    assert "the settings name no target of backups" in done.stderr


@pytest.mark.parametrize("share", ["101%", "-1%", "much"])
def test_a_share_is_a_percentage(strongroom: Command, share: str) -> None:
    assert strongroom("backup", "verify", "--read-data", share).returncode == 2
