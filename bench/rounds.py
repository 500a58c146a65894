"""Rounds in turn, A B A B, so that whatever else the machine does falls on all of them alike."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median

Measure = Callable[[], float]


def interleave(measures: Mapping[str, Measure], rounds: int) -> dict[str, float]:
    """Return the median rate of each measure over `rounds` rounds, in each of which every measure runs once.

    A round before them is not counted: it fills caches and makes connections. A single one has none before it: that is
    for a test, and measures nothing.
    """
    gc.freeze()  # what there is now stays: to look through it again and again took most of a short run
    rates: dict[str, list[float]] = {name: [] for name in measures}
    uncounted = rounds > 1
    for number in range(rounds + uncounted):
        for name, measure in measures.items():
            gc.collect()
            rate = measure()
            if number >= uncounted:
                rates[name].append(rate)
    return {name: float(median(found)) for name, found in rates.items()}
