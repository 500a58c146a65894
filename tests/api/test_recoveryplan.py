"""Settings of backups: what they come to, and what cannot be meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.config import Settings
from api.errors import SettingsError
from api.recoveryplan import plan
from keys import identity
from keys.secret import Secret


@pytest.fixture
def recipients(tmp_path: Path) -> Path:
    path = tmp_path / "recipients"
    path.write_text(f"# custodians\nrecovery {identity.recipient(Secret.random())}\n")
    return path


def settings(**values: Any) -> Settings:
    return Settings(database_url="sqlite:///none.db", **values)


def test_without_targets_there_is_nothing_to_do() -> None:
    found = plan(settings())
    assert (found.targets, found.quorum) == ((), 0)


def test_targets_are_named_and_two_of_them_are_enough(recipients: Path, tmp_path: Path) -> None:
    urls = " ".join(f"file:{tmp_path}/{name}" for name in "abc")
    found = plan(
        settings(
            backup_targets=urls, backup_recipients=recipients, backup_full_hours=2, backup_keep="last=5 daily=1",
            drill_hours=24,
        )
    )  # fmt: skip
    assert found.targets == tuple(f"file:{tmp_path}/{name}" for name in "abc")
    assert (found.quorum, found.full, found.drilled) == (2, 7_200, 86_400)
    assert (found.keep.last, found.keep.daily, found.keep.weekly) == (5, 1, 0)
    assert len(found.recipients.recovery) == 1


def test_one_target_alone_is_its_own_quorum(recipients: Path, tmp_path: Path) -> None:
    assert plan(settings(backup_targets=f"file:{tmp_path}/a", backup_recipients=recipients)).quorum == 1


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"backup_recipients": None}, "BACKUP_RECIPIENTS"),
        ({"backup_recipients": Path("/nowhere/recipients")}, "BACKUP_RECIPIENTS"),
        ({"backup_quorum": 3}, "BACKUP_QUORUM"),
        ({"backup_keep": "daily=7"}, "BACKUP_KEEP"),
        ({"backup_targets": "ftp://somewhere/"}, "BACKUP_TARGETS"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(
    values: dict[str, Any], named: str, recipients: Path, tmp_path: Path
) -> None:
    good: dict[str, Any] = {
        "backup_targets": f"file:{tmp_path}/a file:{tmp_path}/b", "backup_recipients": recipients,
    }  # fmt: skip
    assert plan(settings(**good)).quorum == 2
    with pytest.raises(SettingsError, match=f"STRONGROOM_{named}"):
        plan(settings(**good | values))


def test_a_drill_host_alone_is_no_recovery_key(tmp_path: Path) -> None:
    path = tmp_path / "recipients"
    path.write_text(f"drill {identity.recipient(Secret.random())}\n")
    with pytest.raises(SettingsError, match="STRONGROOM_BACKUP_RECIPIENTS"):
        plan(settings(backup_targets=f"file:{tmp_path}/a", backup_recipients=path))
