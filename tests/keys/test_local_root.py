"""The local root's key file: made once, read by its owner alone, refused when damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keys.errors import KeyFileError, PassphraseError, UnwrapError
from keys.providers import local
from keys.secret import Secret

CONTEXT = b"context"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "root.key"


def test_what_it_wraps_it_opens_after_a_restart(path: Path) -> None:
    local.create(path)
    keys = [Secret.random() for _ in range(3)]
    wrapped = local.load(path).wrap(keys, [CONTEXT] * 3)
    assert local.load(path).unwrap(wrapped, [CONTEXT] * 3) == keys


def test_with_a_passphrase_the_key_is_not_in_the_file(path: Path) -> None:
    local.create(path, Secret(b"correct horse"))
    entry = json.loads(path.read_text())
    assert entry["protection"] == "argon2id"
    assert (entry["iterations"], entry["lanes"], entry["memory_kib"]) == (3, 4, 65_536)  # RFC 9106, section 4
    wrapped = local.load(path, Secret(b"correct horse")).wrap([Secret.random()], [CONTEXT])
    assert local.load(path, Secret(b"correct horse")).unwrap(wrapped, [CONTEXT])


@pytest.mark.parametrize("passphrase", [None, Secret(b"wrong"), Secret(b"")])
def test_a_wrong_or_missing_passphrase_is_refused(path: Path, passphrase: Secret | None) -> None:
    local.create(path, Secret(b"right"))
    with pytest.raises(PassphraseError):
        local.load(path, passphrase)


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    local.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError):
        local.create(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    local.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="0600"):
        local.load(path)


def test_every_truncation_is_refused(path: Path) -> None:
    local.create(path, Secret(b"right"))
    whole = path.read_bytes()
    for size in range(len(whole.rstrip()) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(KeyFileError):
            local.load(path, Secret(b"right"))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "strongroom-root/2"}, {"protection": "rot13"}, {"key": "AAAA"}, {"key": 7}, {"id": "other"},
        {"memory_kib": 10**9}, {"lanes": 0}, {"iterations": -1}, {"salt": "!"}, {"memory_kib": "lots"},
    ],
    ids=lambda change: next(iter(change)) if isinstance(change, dict) else "",
)  # fmt: skip
def test_a_changed_part_is_refused(path: Path, change: dict[str, object]) -> None:
    local.create(path, Secret(b"right"))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(KeyFileError):
        local.load(path, Secret(b"right"))


def test_missing_and_odd_files_are_refused(path: Path) -> None:
    with pytest.raises(KeyFileError):
        local.load(path)
    path.mkdir(mode=0o700)
    with pytest.raises(KeyFileError):
        local.load(path)


def test_a_wrapped_key_opens_only_whole_and_in_its_place(path: Path) -> None:
    local.create(path)
    root = local.load(path)
    (wrapped,) = root.wrap([Secret.random()], [CONTEXT])
    assert len(wrapped) == 61
    damaged = [bytes([*wrapped[:at], wrapped[at] ^ 1, *wrapped[at + 1 :]]) for at in range(len(wrapped))]
    for blob in [*damaged, wrapped[:-1], b"", wrapped + b"\0"]:
        with pytest.raises(UnwrapError):
            root.unwrap([blob], [CONTEXT])
    with pytest.raises(UnwrapError):
        root.unwrap([wrapped], [b"another place"])


def test_a_crash_while_it_is_made_leaves_none_or_a_whole_one(path: Path) -> None:
    """The process ends at the sync, before the file has its name: the next start makes one."""
    program = (
        "import os, sys; from pathlib import Path; from keys.providers import local;"
        "os.fsync = lambda _: os._exit(9); local.create(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == 9
    assert not path.exists()
    local.create(path)
    assert local.load(path)
