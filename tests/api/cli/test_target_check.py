"""What `doctor` says of backups: where they go, how many must have them, and who opens them."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest

from tests.api.cli.conftest import Command

Finding = dict[str, str]


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return [f"file:{tmp_path}/one", f"file:{tmp_path}/two"]


@pytest.fixture
def recipients(tmp_path: Path) -> Path:
    (tmp_path / "recipients").write_text(f"recovery {pyrage.x25519.Identity.generate().to_public()}\n")
    return tmp_path / "recipients"


def found(command: Command, targets: str, recipients: Path | None = None, **more: str) -> list[Finding]:
    """Return what doctor finds about backups."""
    if recipients is not None:
        more["STRONGROOM_BACKUP_RECIPIENTS"] = str(recipients)
    done = command("doctor", "--json", STRONGROOM_BACKUP_TARGETS=targets, **more)
    checks = json.loads(done.stdout)["checks"]
    return [one for one in checks if one["name"] in {"backups", "target", "quorum", "recovery"}]


def states(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one["name"], one["state"]) for one in findings]


def test_without_a_target_it_warns(local: Command) -> None:
    assert states(found(local, "")) == [("backups", "warn")]


def test_every_target_is_written_to(
    local: Command, folders: list[str], recipients: Path, tmp_path: Path
) -> None:
    findings = found(local, f"{folders[0]} file:{tmp_path}/nowhere", recipients)
    assert states(findings) == [("target", "ok"), ("target", "FAIL"), ("quorum", "ok"), ("recovery", "ok")]
    assert "target_removed" in findings[1]["text"]
    assert "mount" in findings[1]["hint"]
    assert [one for one in (tmp_path / "one").rglob("*") if one.is_file()] == []


def test_a_target_on_the_database_s_own_disk_is_no_other_server(local: Command, folders: list[str]) -> None:
    assert local("db", "upgrade").returncode == 0
    same = [
        one for one in found(local, " ".join(folders)) if one["state"] == "warn" and one["name"] == "target"
    ]
    assert len(same) == 2
    assert "same disk" in same[0]["text"]


@pytest.mark.parametrize(("quorum", "state"), [(None, "ok"), ("1", "warn"), ("2", "ok")])
def test_a_quorum_of_one_is_told(
    local: Command, folders: list[str], recipients: Path, quorum: str | None, state: str
) -> None:
    more = {} if quorum is None else {"STRONGROOM_BACKUP_QUORUM": quorum}
    assert ("quorum", state) in states(found(local, " ".join(folders), recipients, **more))


def test_one_target_alone_is_a_quorum_of_one(local: Command, folders: list[str], recipients: Path) -> None:
    assert ("quorum", "warn") in states(found(local, folders[0], recipients))


def test_a_quorum_that_no_backup_reaches_is_told(
    local: Command, folders: list[str], recipients: Path
) -> None:
    findings = found(local, folders[0], recipients, STRONGROOM_BACKUP_QUORUM="2")
    assert findings[-1]["state"] == "FAIL"
    assert "STRONGROOM_BACKUP_QUORUM" in findings[-1]["text"]


@pytest.mark.parametrize("text", ["drill {}\n", "recovery canary\n", None])
def test_backups_that_custodians_cannot_open_are_told(
    local: Command, folders: list[str], tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "recipients"
    if text is not None:
        file.write_text(text.format(pyrage.x25519.Identity.generate().to_public()))
    findings = found(local, folders[0], file)
    assert states(findings) == [("target", "ok"), ("backups", "FAIL")]
    assert "STRONGROOM_BACKUP_RECIPIENTS" in findings[-1]["text"]
    assert "recovery init" in findings[-1]["hint"]
    assert "canary" not in json.dumps(findings)


def test_a_url_that_cannot_be_meant_is_named_by_its_number(local: Command, folders: list[str]) -> None:
    findings = found(local, f"{folders[0]} ftp://canary")
    assert states(findings) == [("backups", "FAIL")]
    assert "number 2" in findings[0]["text"]
    assert "canary" not in json.dumps(findings)
