"""What processes cost: seconds on a processor, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # of a second


def group_seconds(group: int) -> float:
    """Return the processor seconds, user and system, that the processes of a group have used."""
    return sum(_ticks(stat, group) for stat in Path("/proc").glob("[0-9]*/stat")) / TICKS


def _ticks(stat: Path, group: int) -> int:
    """Return utime + stime of a process of the group (proc(5)); 0 of any other, or one that ended."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12]) if int(fields[2]) == group else 0
