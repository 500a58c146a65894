"""What every test may ask for: published vectors, one case a test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(os.environ.get("STRONGROOM_SHARED") or Path(__file__).parents[2] / "shared")


def read_vectors(name: str) -> Any:
    """Return a published vector file by its path under vectors/; STRONGROOM_SHARED says where else that is."""
    return json.loads((SHARED / "vectors" / name).read_text("utf-8"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test marked `vectors(file, *keys)` each entry under those keys of the file as its `case`."""
    if marker := metafunc.definition.get_closest_marker("vectors"):
        name, *keys = marker.args
        content = read_vectors(name)
        cases = [(f"{name}:{key}{i}", case) for key in keys for i, case in enumerate(content[key])]
        cases = cases or [(f"{name}:{i}", case) for i, case in enumerate(content)]
        metafunc.parametrize("case", [case for _, case in cases], ids=[label for label, _ in cases])


@pytest.fixture
def vectors() -> Any:
    """Return the reader of vector files."""
    return read_vectors
