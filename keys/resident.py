"""Keys stay in memory: this process writes no core dump, and its pages are not swapped where that may be forbidden.

Python copies bytes as it likes, so single keys cannot be kept in pages of their own: the whole process is.
"""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4  # linux/mman.h: pages are locked when they are first used
_CAP_IPC_LOCK = 14  # linux/capability.h
_EVERYBODY = "4294967295"  # user ids that the first user space maps to themselves (user_namespaces(7))


def keep_out_of_files() -> bool:
    """Turn core dumps off and lock the memory; return whether it is locked."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux" or not _may_lock():
        return False
    locked = ctypes.CDLL(None, use_errno=True).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)
    return bool(locked == 0)


def _may_lock() -> bool:
    """Whether any amount of memory may be locked: under a limit, memory that is asked for later would be refused."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", _EVERYBODY]:
        return False  # a capability in a space of its own does not lift the limit
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_IPC_LOCK & 1)
    return False
