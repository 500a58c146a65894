"""The units that ship with the project: what they call is there, and systemd takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from api.cli.drill import drill
from api.config import Settings
from api.drills import hostkeys

UNITS = Path(__file__).parents[2] / "docs/systemd"
SERVICE, TIMER = UNITS / "strongroom-drill.service", UNITS / "strongroom-drill.timer"
PROGRAM = "/opt/strongroom/.venv/bin/strongroom"


def values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def test_the_unit_names_settings_and_options_that_there_are() -> None:
    text = SERVICE.read_text("utf-8")
    known = {f"STRONGROOM_{name.upper()}" for name in Settings.model_fields}
    for parameter in drill.params:
        known |= {parameter.envvar} if isinstance(parameter.envvar, str) else {*(parameter.envvar or ())}
    assert set(re.findall(r"\bSTRONGROOM_[A-Z_0-9]+\b", text)) <= known
    assert values(SERVICE, "ExecStart") == [f"{PROGRAM} drill"]


def test_the_units_credentials_are_the_hosts_files() -> None:
    names = {value.partition(":")[0] for value in values(SERVICE, "LoadCredential")}
    assert {hostkeys.IDENTITY, hostkeys.REPORT_KEY, hostkeys.CANARY} <= names
    used = {name for value in values(SERVICE, "Environment") for name in re.findall(r"%d/(\S+)", value)}
    assert used <= names


def test_the_timer_is_nightly_and_catches_up() -> None:
    assert (values(TIMER, "Persistent"), values(TIMER, "RandomizedDelaySec")) == (["true"], ["1h"])


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    for unit in (SERVICE, TIMER):
        text = unit.read_text("utf-8").replace(PROGRAM, shutil.which("true") or "")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [program, "verify", *map(str, tmp_path.iterdir())], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "strongroom-drill" in line]
    assert (told, done.returncode) == ([], 0)
