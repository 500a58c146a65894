"""Files at targets that belong to no backup made: leftovers of what failed, of what was removed, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from vault.store.catalogue import FAILED, MADE, RUNNING, Backup
from vault.store.streams import STREAMS, Stream

SETTLED = 86_400_000_000  # microseconds after which nobody writes files of a backup that failed any more


def is_settled(rows: Iterable[Backup], now: int) -> bool:
    """Whether no backup is being made, and none failed in the last day: then files that nothing names are nobody's.

    Chunks do not say which backup they were for, and files' times are whatever a server's clock was.

    Args:
        now: microseconds since 1970 (UTC).
    """
    return not any(
        one.state == RUNNING or (one.state == FAILED and (one.finished_at or one.taken_at) > now - SETTLED)
        for one in rows
    )


def newest(rows: Iterable[Backup]) -> dict[Stream, int]:
    """Return the newest number that was given in each stream; 0 before the first."""
    found: dict[Stream, int] = dict.fromkeys(STREAMS, 0)
    for one in rows:
        found[one.stream] = max(found[one.stream], one.number)
    return found


def fate(
    number: int, rows: Mapping[int, Backup], newest: int, now: int
) -> Literal["kept", "gone", "unknown"]:
    """Return what becomes of a manifest with that number, by the stream's rows.

    Gone: it was removed, failed a day ago, or was removed so long ago that its row is forgotten. Unknown: a number that
    was never given, as where the database was put back to an earlier state: such a file is never touched.
    """
    row = rows.get(number)
    if row is None:
        return "gone" if number < newest else "unknown"
    if row.state in (MADE, RUNNING) or (row.state == FAILED and not is_settled([row], now)):
        return "kept"
    return "gone"
