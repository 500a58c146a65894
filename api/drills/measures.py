"""How times, sizes and rates of drills are written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault.recovery.reports import Report

NONE = "\N{EN DASH}"
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def duration(seconds: float | None) -> str:
    """Return seconds as a person says them, such as 8.4 s or 2 h 5 min; a dash for None."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    parts: list[str] = []
    for size, unit in (*_STEPS, (1, "s")):
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def size(count: int) -> str:
    """Return bytes in the largest unit that leaves a whole one."""
    scaled, unit = float(count), 0
    while scaled >= 1_024 and unit < len(_SIZES) - 1:
        scaled, unit = scaled / 1_024, unit + 1
    return f"{scaled:.0f} {_SIZES[unit]}" if unit == 0 or scaled >= 100 else f"{scaled:.1f} {_SIZES[unit]}"


def instant(microseconds: int) -> str:
    """Return a time in UTC, to the second."""
    return f"{datetime.fromtimestamp(microseconds / 1e6, UTC):%Y-%m-%d %H:%M:%S}"


def rate(report: Report) -> float | None:
    """Return rows a second of the whole restore; None where nothing was restored."""
    return report.rows / report.rto if report.rto and report.rows else None
