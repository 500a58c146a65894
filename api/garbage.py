"""How seldom Python looks for garbage in our processes: what was loaded stays, and columns make no cycles."""

from __future__ import annotations

import gc

GARBAGE = 50_000  # new containers (700 by default) after which Python looks for cycles among them


def seldom() -> None:
    """Look seldom from now on: every 700 containers, that took a tenth of a start, and a tenth of a column."""
    gc.set_threshold(GARBAGE)


def spare() -> None:
    """Never look among what there is now, which stays: not while it works, and not again and again as it ends."""
    gc.freeze()
