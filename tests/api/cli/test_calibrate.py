"""`strongroom passwords calibrate` measures, and prints a setting that the service takes."""

from __future__ import annotations

import json

import pytest

from tests.api.cli.conftest import Command
from vault.passwords.profiles import parse


def test_what_is_printed_is_a_setting(local: Command) -> None:
    done = local("passwords", "calibrate", "--target", "400ms", "--memory", "32")
    assert (done.returncode, done.stderr) == (0, "measuring\n")
    titles, *rows, setting = done.stdout.splitlines()
    assert titles.split("\t") == ["profile", "memory MiB", "passes", "lanes", "ms a hash"]
    assert [row.split("\t")[0] for row in rows] == ["owasp", "owasp-12", "owasp-9", "owasp-7", "interactive"]
    assert rows[0].split("\t")[:4] == ["owasp", "19", "2", "1"]
    name, _, value = setting.partition("=")
    assert name == "STRONGROOM_PASSWORD_PROFILE"
    profile = parse(value)
    assert profile.memory <= 32 * 1_024  # all processors hash at once within it
    assert profile.passes > 2


def test_a_target_that_cannot_be_met_is_told(local: Command) -> None:
    done = local("passwords", "calibrate", "--target", "10ms", STRONGROOM_HASHING_MEMORY_MIB="32")
    assert done.returncode == 1
    assert "a target of 10 ms cannot be met" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("STRONGROOM_PASSWORD_PROFILE=interactive:m=")


def test_the_measurements_as_json(local: Command) -> None:
    done = local("passwords", "calibrate", "--target", "10ms", "--memory", "32", "--json")
    found = json.loads(done.stdout)
    assert found["met"] is False
    assert [one["profile"] for one in found["measured"]][-1] == "interactive"
    assert all(one["seconds"] > 0 and one["memory_kib"] <= 32_768 for one in found["measured"])
    last = found["measured"][-1]
    assert found["setting"].endswith(f"m={last['memory_kib']},t={last['passes']},p={last['lanes']}")


@pytest.mark.parametrize("target", ["9ms", "3s", "250", "1m", "ms", "-1s"])
def test_a_target_is_a_short_duration(local: Command, target: str) -> None:
    done = local("passwords", "calibrate", f"--target={target}")
    assert done.returncode == 2
    assert "no duration from 10ms to 2s" in done.stderr
