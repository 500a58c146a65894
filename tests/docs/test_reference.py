"""The references are what `make docs` writes from the source of today."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, DOCS / "reference.py", folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["api.md", "commands.md"])
def test_make_docs_would_change_nothing(name: str, written: Path) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == (written / name).read_text(encoding="utf-8")
