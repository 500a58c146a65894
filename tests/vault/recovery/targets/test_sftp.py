"""SFTP as a target: modes, drafts of the dead, what is synced, and whom it believes to be the server."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.sshd import Sshd, sshd
from tests.vault.recovery.targets.places import SftpPlace
from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.protocol import TargetFailed

CHUNK = "00000000deadbeef/data/chunks/ab"


def opened(server: Sshd, folder: Path, known: Path | None = None) -> Bounded:
    around = Surroundings(time.monotonic, server.key, known or server.known_hosts)
    return open_target(f"sftp://{server.user}@127.0.0.1:{server.port}{folder}", around)


def test_files_and_folders_are_for_their_owner_alone(ssh_server: Sshd, tmp_path: Path) -> None:
    opened(ssh_server, tmp_path).put(CHUNK, b"x")
    assert (tmp_path / CHUNK).stat().st_mode & 0o777 == 0o600
    for folder in (tmp_path / ".tmp", *list((tmp_path / CHUNK).parents)[:3]):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_drafts_of_the_dead_are_cleared_and_those_of_the_living_are_not(
    ssh_server: Sshd, tmp_path: Path
) -> None:
    drafts = tmp_path / ".tmp"
    drafts.mkdir()
    for name, age in (("dead", 2 * 86_400), ("living", 3_600)):
        (drafts / name).write_bytes(b"half")
        os.utime(drafts / name, (time.time() - age, time.time() - age))
    opened(ssh_server, tmp_path).probe()
    assert [one.name for one in drafts.iterdir()] == ["living"]


def test_a_folder_opens_as_a_directory_what_it_took_over_sftp(ssh_server: Sshd, tmp_path: Path) -> None:
    """Whoever restores at the server itself needs no network."""
    opened(ssh_server, tmp_path).put(CHUNK, b"x")
    local = open_target(f"file:{tmp_path}", Surroundings(time.monotonic))
    assert local.get(CHUNK) == b"x"
    local.put("elsewhere", b"y")
    assert opened(ssh_server, tmp_path).get("elsewhere") == b"y"


def test_a_server_that_cannot_be_told_to_sync_is_said_to_be_weak(tmp_path: Path, ssh_server: Sshd) -> None:
    (tmp_path / "keys").mkdir()
    with sshd(tmp_path / "keys", options="-P fsync") as forgetful:
        target = opened(forgetful, tmp_path)
        target.put(CHUNK, b"x")
        assert target.get(CHUNK) == b"x"
        assert "fsync" in target.weaknesses()[0]
    assert opened(ssh_server, tmp_path).weaknesses() == []


def test_a_file_of_known_hosts_may_hide_their_names(ssh_server: Sshd, tmp_path: Path) -> None:
    """As OpenSSH's does with HashKnownHosts, which is Debian's default."""
    known = tmp_path / "known_hosts"
    known.write_text(ssh_server.known_hosts.read_text().replace(f",[127.0.0.1]:{ssh_server.port} ", " "))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    opened(ssh_server, tmp_path, known).probe()


def test_another_host_is_told_from_the_first_word(ssh_server: Sshd) -> None:
    """Nothing is written there, and no key of the user's is shown to it."""
    place = SftpPlace(ssh_server)
    place.another_host()
    with pytest.raises(TargetFailed) as failure:
        place.target().put(CHUNK, b"x")
    assert failure.value.problem == "target_untrusted"
    assert place.held() == {}
    place.close()
