"""A process's name says whether it lives, and never comes back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from api import processes

SAY = "from api import processes; print(processes.name(), flush=True); input()"


def test_a_process_is_gone_when_it_has_ended_and_not_before() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert not processes.gone(name)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie still, which holds nothing
    assert processes.gone(name)
    process.communicate()
    assert processes.gone(name)


def test_the_same_number_started_anew_is_another_process() -> None:
    mine = processes.name()
    assert not processes.gone(mine)
    assert processes.gone(f"{mine.rpartition('/')[0]}/1")


@pytest.mark.parametrize("name", ["", "slow", "elsewhere+boot+pid/1/2", "a/b/c", "a//", "host:17"])
def test_of_others_nothing_is_known(name: str) -> None:
    assert not processes.gone(name)
