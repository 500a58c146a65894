"""Whether a folder lies in memory alone, so that what was written there is gone with it."""

from __future__ import annotations

from pathlib import Path

IN_MEMORY = ("tmpfs", "ramfs")
_TABLE = Path(
    "/proc/self/mountinfo"
)  # proc_pid_mountinfo(5): field 5 is the mount point, the type follows " - "


def is_in_memory(folder: Path) -> bool:
    """Tell whether the file system that holds a folder is in memory; False where that cannot be told."""
    try:
        table = _TABLE.read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    mounts = [
        (_unescaped(line.split()[4]), line.partition(" - ")[2].split()[0]) for line in table.splitlines()
    ]
    over = [mount for mount in mounts if folder.resolve().is_relative_to(mount[0])]
    return (
        max(enumerate(over), key=lambda one: (len(one[1][0]), one[0]))[1][1] in IN_MEMORY if over else False
    )


def _unescaped(path: str) -> str:
    """Return a path in which white space and backslashes were written as three octal digits."""
    for code in ("040", "011", "012", "134"):
        path = path.replace(f"\\{code}", chr(int(code, 8)))
    return path
