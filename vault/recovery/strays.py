"""Files at targets that belong to no backup made: leftovers of what failed, of what was removed, and unknown ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from vault.backup import layout
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


def fate(row: Backup | None) -> Literal["kept", "gone", "unknown"]:
    """Return what becomes of a manifest whose number has that row.

    Gone: the backup was removed, or failed. Unknown: there is no such row, as where the database was put back to an
    earlier state; such a file is never touched.
    """
    if row is None:
        return "unknown"
    return "kept" if row.state in (MADE, RUNNING) else "gone"


def unknown(
    paths: Iterable[str], rows: Sequence[Backup], installation: str, now: int
) -> Iterator[tuple[Stream, int | None, str]]:
    """Yield stream, number and path of files that nothing accounts for; no number for a chunk.

    Chunks may be of a backup that is under way, or of a manifest that is to go: then nothing is said of any.

    Args:
        paths: of an installation's files, rising, without those that belong to backups made.
    """
    left, settled = list(paths), is_settled(rows, now)
    for stream in STREAMS:
        mine = {one.number: one for one in rows if one.stream == stream}
        found = [
            (parsed[2], path) for path in left if (parsed := layout.parsed(path)) and parsed[1] == stream
        ]
        for number, path in found:
            if fate(mine.get(number)) == "unknown":
                yield stream, number, path
        if settled and not found:
            prefix = layout.chunks(installation, stream)
            yield from ((stream, None, path) for path in left if path.startswith(prefix))
