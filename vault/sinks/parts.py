"""The parts of a file sink: their names, which sort, and what they hold, told by their tails."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vault.sinks import lines

WINDOW = 1024 * 1024  # bytes of the tail that are read first
_NUMBER = re.compile(r"\.([0-9]{8})(\.[a-z]+)?")  # the second part: why it was put aside


def finished(path: Path) -> list[Path]:
    """Return the finished parts of the file at `path`, the oldest first."""
    return [part for part, why in _numbered(path) if not why]


def next_name(path: Path, why: str = "") -> Path:
    """Return the name of the next part; with `why` that of a file that is put aside."""
    newest = max((int(part.name[len(path.name) + 1 :][:8]) for part, _ in _numbered(path)), default=0)
    return path.with_name(f"{path.name}.{newest + 1:08}{why and f'.{why}'}")


def held_by_finished(path: Path) -> lines.Holds:
    """Return what the finished parts hold: the last of them says it of all."""
    there = finished(path)
    if not there:
        return {}
    file = os.open(there[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return tail(file)[1]
    finally:
        os.close(file)


def tail(file: int) -> tuple[int, lines.Holds]:
    """Return the size without a torn last line, and what is held as far as whole lines say."""
    size, window = os.fstat(file).st_size, WINDOW
    while True:
        first = max(0, size - window)
        text = os.pread(file, size - first, first)
        whole = text.rfind(b"\n") + 1
        at = max(text.rfind(b'\n{"event":"', 0, whole) + 1, 0)
        if at or first == 0:
            return first + whole, lines.held(text[at:whole].splitlines(), {})
        window *= 2


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _numbered(path: Path) -> list[tuple[Path, str]]:
    """Return every part beside `path` in order, with why it was put aside, "" for finished ones."""
    beside = ((part, _NUMBER.fullmatch(part.name.removeprefix(path.name))) for part in path.parent.iterdir())
    return sorted((part, match[2] or "") for part, match in beside if match)
