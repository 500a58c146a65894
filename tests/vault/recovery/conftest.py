"""A line of backups at three folders, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.recovery.copied import Line, open_line


@pytest.fixture
def line(database_url: str, tmp_path: Path) -> Iterator[Line]:
    """A line without backups."""
    opened = open_line(database_url, tmp_path / "targets")
    yield opened
    opened.resources.close()
