"""URLs of targets: what is meant is opened, what cannot be is refused in words without the URL."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sshd import make_key
from vault.errors import InvalidRequest
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.places import parse


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    make_key(tmp_path / "key")
    (tmp_path / "known").write_text("# nobody\n")
    return Surroundings(time.monotonic, tmp_path / "key", tmp_path / "known", ("access", "hunter2"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("file:/var/backups", "file:/var/backups"),
        ("file:///var//backups/?mounted=yes", "file:/var/backups"),
        ("file:/var/back%20ups", "file:/var/back ups"),
        ("sftp://backup@host.example/srv/x", "sftp://backup@host.example/srv/x"),
        ("sftp://backup@host.example:22/srv/x/", "sftp://backup@host.example/srv/x"),
        ("sftp://backup@[::1]:2222/srv", "sftp://backup@[::1]:2222/srv"),
        ("s3://bucket/a/b?region=r-1", "s3://bucket/a/b"),
        ("s3://bucket?region=r-1&endpoint=https://s3.example&keyrings=other", "s3://bucket"),
    ],
)
def test_a_good_one_is_opened_and_named_without_its_options(
    url: str, name: str, around: Surroundings
) -> None:
    assert parse(url).name == open_target(url, around).name == name


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begins with"),
        ("ftp://host/x", "begins with"),
        ("file:relative", "absolute"),
        ("file://host/path", "absolute"),
        ("file:/", "root"),
        ("file:/a/../b", "absolute"),
        ("file:/x?mounted=no", "mounted"),
        ("file:/x?rotate=1", "nothing else"),
        ("file:/x#y", "fragment"),
        ("file:/ä", "ASCII"),
        ("sftp://host/x", "user and host"),
        ("sftp://user@/x", "user and host"),
        ("sftp://-oProxyCommand@host/x", "user and host"),
        ("sftp://user:hunter2@host/x", "password"),
        ("sftp://user@host:99999/x", "cannot be read"),
        ("sftp://user@host", "absolute"),
        ("sftp://user@host/x?key=y", "nothing"),
        ("s3://bucket/x", "region"),
        ("s3://user@bucket/x?region=r", "bucket"),
        ("s3:///x?region=r", "bucket"),
        ("s3://bucket?region=r&endpoint=http://example.org", "endpoint"),
        ("s3://bucket?region=r&keyrings=bucket", "another"),
        ("s3://bucket?region=r&keyrings=UPPER", "bucket"),
    ],
)
def test_a_bad_one_is_refused_in_our_own_words(url: str, why: str, around: Surroundings) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        open_target(url, around)
    assert "hunter2" not in str(refused.value)


def test_what_a_target_needs_must_be_there_and_of_use(around: Surroundings, tmp_path: Path) -> None:
    sftp, s3 = "sftp://user@host/x", "s3://bucket?region=r"
    for wrong in (replace(around, ssh_key=None), replace(around, known_hosts=None)):
        with pytest.raises(InvalidRequest, match="known hosts"):
            open_target(sftp, wrong)
    for text in ("", "no key", (tmp_path / "key").read_text()[:200]):
        (tmp_path / "bad").write_text(text)
        with pytest.raises(InvalidRequest, match="key file"):
            open_target(sftp, replace(around, ssh_key=tmp_path / "bad"))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        open_target(sftp, replace(around, known_hosts=tmp_path / "nowhere"))
    with pytest.raises(InvalidRequest, match="in a file"):
        open_target(s3, replace(around, s3_keys=None))
    assert "hunter2" not in repr(around)


@pytest.mark.parametrize("mark", ["@revoked", "@cert-authority"])
def test_lines_of_known_hosts_that_would_be_overlooked_are_refused(around: Surroundings, mark: str) -> None:
    """A key that was taken back must not be taken for a good one."""
    assert around.known_hosts is not None
    around.known_hosts.write_text(f"{mark} * ssh-ed25519 AAAA\n")
    with pytest.raises(InvalidRequest, match="not understood"):
        open_target("sftp://user@host/x", around)


def test_a_key_behind_a_password_is_refused(around: Surroundings, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter2", "-f", tmp_path / "locked"], check=True
    )
    with pytest.raises(InvalidRequest, match="without a password"):
        open_target("sftp://user@host/x", replace(around, ssh_key=tmp_path / "locked"))


def test_names_need_no_library_that_reaches_a_server() -> None:
    code = """
import sys
from api.config import Settings
from api.targets import names
names(Settings(backup_targets="file:/a sftp://u@h/b s3://bucket?region=r"))
assert not {"paramiko", "obstore"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
