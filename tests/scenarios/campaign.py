"""How long the scenarios run: short in every run of the tests, long where STRONGROOM_CAMPAIGN=full."""

from __future__ import annotations

import os

FULL = os.environ.get("STRONGROOM_CAMPAIGN") == "full"


def rounds(short: int, full: int) -> int:
    """Return how often to do a thing: `short` times, or `full` times in a campaign."""
    return full if FULL else short
