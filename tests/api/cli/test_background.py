"""A child of `serve`: started again, also where there was no process left for it for a while."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import background
from api.cli.background import Background
from api.cli.screen import Screen
from tests.waiting import until

CHILD = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x')"


def test_it_is_started_again_when_there_is_a_process_left_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives, refused, start = tmp_path / "lives", [], background._started

    def started(command: list[str], inherits: tuple[int, ...]) -> subprocess.Popen[bytes]:
        if lives.exists() and len(refused) < 2:
            refused.append(command)
            raise BlockingIOError(errno.EAGAIN, "no process is left")
        return start(command, inherits)

    monkeypatch.setattr(background, "_started", started)
    child = Background(Screen(), "child", [sys.executable, "-c", CHILD, str(lives)], pause=0.001)
    child.start()
    until(lambda: lives.exists() and len(lives.read_text()) > 2)
    child.stop()
    assert len(refused) == 2
