"""The folder in which serving processes add up their metrics: the one that is set, or one for this run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "STRONGROOM_METRICS_DIR"


@contextmanager
def metrics_folder(chosen: Path | None) -> Iterator[None]:
    """Have the folder there without an earlier run's numbers, and name it to the processes started here."""
    if chosen is not None:
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in chosen.glob("*.db"):
            file.unlink()
        yield
        return
    with tempfile.TemporaryDirectory(prefix="strongroom-metrics-") as made:
        os.environ[VARIABLE] = made
        yield
