"""A restore that is killed leaves an empty database, and the next one succeeds."""

from __future__ import annotations

import os
import signal

import pytest

from tests.vault.conftest import Shop
from tests.vault.recovery.made import Backups
from tests.vault.recovery.test_restoring import backups

__all__ = ["backups"]


def killed(backups: Backups, url: str, phase: str) -> int:
    """Restore in another process, which is killed as by a power cut in that phase; return by which signal it ended."""

    def kill(name: str, done: int, _total: int) -> None:
        if name == phase and (done or phase == "settle"):
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            backups.restore(url, progress=kill)
        finally:
            os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_in_any_phase(shop: Shop, backups: Backups, empty_url: str) -> None:
    token = shop.tokenize("phone", "13800138000", subjects=["a"])
    backups.make()
    for phase in ("keyring", "data", "settle"):
        assert killed(backups, empty_url, phase) == signal.SIGKILL
        if empty_url.startswith("sqlite"):
            assert not os.path.exists(empty_url.removeprefix("sqlite:///"))
    told = backups.restore(empty_url)
    assert told.whole
    with backups.opened(empty_url) as again:
        assert again.plain(*token) == ["+8613800138000"]
        assert again.count("token") == 1
