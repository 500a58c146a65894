"""A drill host's files: made once, for their owner alone, and refused where they are not what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.drills.hostkeys import CANARY, IDENTITY, REPORT_KEY, HostKeys
from api.errors import SettingsError
from vault.recovery import recipients, reports


@pytest.fixture
def keys(tmp_path: Path) -> HostKeys:
    made = HostKeys(tmp_path)
    assert made.make()
    return made


def test_files_are_for_their_owner_alone_and_made_once(keys: HostKeys) -> None:
    keys.make_canary("strongroom-drill", "sr_live_x")
    before = {path.name: path.read_bytes() for path in keys.folder.iterdir()}
    assert before.keys() == {IDENTITY, REPORT_KEY, CANARY}
    assert {path.stat().st_mode & 0o777 for path in keys.folder.iterdir()} == {0o600}
    assert not keys.make()
    keys.make_canary("another", "sr_live_y")
    assert {path.name: path.read_bytes() for path in keys.folder.iterdir()} == before


def test_its_lines_are_what_the_service_reads(keys: HostKeys) -> None:
    found = recipients.read("\n".join(keys.lines()))
    assert (len(found.drill), found.reporters) == (1, (keys.signer().vkey,))
    assert keys.signer().name == reports.NAME


def test_the_canary_reads_back_and_keeps_no_api_key(keys: HostKeys) -> None:
    assert keys.canary() is None
    made = keys.make_canary("strongroom-drill", "sr_live_secret")
    assert keys.canary() == made
    assert b"sr_live_secret" not in (keys.folder / CANARY).read_bytes()
    assert made.password not in repr(made)


@pytest.mark.parametrize("name", [IDENTITY, REPORT_KEY, CANARY])
@pytest.mark.parametrize("harm", ["open", "empty", "missing", "other"])
def test_a_file_that_is_not_right_is_refused(keys: HostKeys, name: str, harm: str) -> None:
    keys.make_canary("strongroom-drill", "sr_live_x")
    path = keys.folder / name
    if harm == "open":
        path.chmod(0o640)
    elif harm == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if harm == "empty" else b"\xff\x00 something else")
    use = {IDENTITY: keys.identity, REPORT_KEY: keys.signer, CANARY: keys.canary}[name]
    if (name, harm) == (CANARY, "missing"):
        assert use() is None
        return
    with pytest.raises(SettingsError) as refused:
        use()
    assert "something else" not in str(refused.value)
