"""Settings of targets: opened and named in their order, or refused by number and never by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.config import Settings, load
from api.errors import SettingsError
from api.targets import names, open_targets
from tests.sshd import make_key

URLS = "file:/srv/a sftp://backup@host.example/b s3://bucket/c?region=r"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    (tmp_path / "known").write_text("# nobody\n")
    (tmp_path / "access").write_text("AKIA0\n")
    (tmp_path / "secret").write_text("hunter2\n")
    return tmp_path


def test_targets_are_named_and_opened_in_their_order(files: Path) -> None:
    settings = Settings(
        backup_targets=URLS, backup_ssh_key_file=files / "key", backup_known_hosts=files / "known",
        backup_s3_access_key_file=files / "access", backup_s3_secret_key_file=files / "secret",
    )  # fmt: skip
    expected = ("file:/srv/a", "sftp://backup@host.example/b", "s3://bucket/c")
    assert names(settings) == tuple(target.name for target in open_targets(settings)) == expected
    assert (names(Settings()), open_targets(Settings())) == ((), [])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"backup_targets": "file:/a ftp://hunter2"}, "BACKUP_TARGETS: number 2"),
        ({"backup_targets": "file:/a file:/a/?mounted=yes"}, "twice"),
        ({"backup_targets": "sftp://u@h/x"}, "number 1: .*known hosts"),
        ({"backup_targets": "s3://bucket?region=r"}, "secret key"),
        (
            {"backup_targets": "s3://bucket?region=r", "backup_s3_access_key_file": "access"},
            "BACKUP_S3_SECRET_KEY_FILE",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(files: Path, given: dict[str, str], why: str) -> None:
    settings = Settings(
        **{name: files / text if name.endswith("_file") else text for name, text in given.items()}  # type: ignore[arg-type]
    )
    with pytest.raises(SettingsError, match=why) as refused:
        open_targets(settings)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["BACKUP_S3_ACCESS_KEY", "BACKUP_S3_SECRET_KEY"])
def test_no_secret_is_taken_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"STRONGROOM_{name}", "hunter2")
    with pytest.raises(SettingsError, match=f"STRONGROOM_{name}_FILE"):
        load()
