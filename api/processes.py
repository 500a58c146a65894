"""The name of a process among those of all machines, and whether one of this machine has ended.

A name is host, boot, the space its process ids belong to, process id and start (in clock ticks after the boot), so that
none ever comes back: what a killed process held may be taken over at once here, and elsewhere when its lease is over.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def name() -> str:
    """Return the name of this process."""
    return f"{_machine()}/{os.getpid()}/{_start(os.getpid())}"


def gone(other: str) -> bool:
    """Whether the process of that name was one of this machine and has ended; False where that cannot be told."""
    machine, _, rest = other.partition("/")
    number, _, start = rest.partition("/")
    if machine != _machine() or not number.isdecimal() or not start:
        return False
    return _start(int(number)) != start


def _machine() -> str:
    try:
        boot, space = _BOOT.read_text().strip(), Path("/proc/self/ns/pid").readlink().name
    except OSError:
        boot = space = "unknown"
    return f"{socket.gethostname()}+{boot}+{space}"


def _start(number: int) -> str:
    """Return when a process started; "" where that cannot be told, "ended" if there is none or it is a zombie."""
    if not _BOOT.exists():
        return ""
    try:
        after = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return "ended"
    return "ended" if after[0] in "ZX" else after[19]  # state and starttime, proc_pid_stat(5)
