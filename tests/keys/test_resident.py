"""A process that holds keys writes no core dump, locks its memory where it may, and goes on working."""

from __future__ import annotations

import subprocess
import sys

KEEP = """
import resource, threading
from pathlib import Path
from keys import resident
may, locked = resident._may_lock(), resident.keep_out_of_files()
threads = [threading.Thread(target=bytearray, args=(1 << 20,)) for _ in range(20)]
for thread in threads:
    thread.start()
held = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmLck")]
print(resource.getrlimit(resource.RLIMIT_CORE) == (0, 0), may == locked, int(held[0].split()[1]) > 0, locked)
"""


# A process under a limit on locked memory, without the capability to pass it (capabilities(7), capset(2)).
LIMITED = """
import ctypes, resource
resource.setrlimit(resource.RLIMIT_MEMLOCK, (65_536, 65_536))
libc, version = ctypes.CDLL(None, use_errno=True), 0x20080522
head, data = (ctypes.c_uint32 * 2)(version, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(head, data) == 0
data[0] &= ~(1 << 14)
assert libc.capset(head, data) == 0
"""


def run(before: str = "") -> list[str]:
    done = subprocess.run([sys.executable, "-c", before + KEEP], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_what_is_locked_is_what_may_be_locked() -> None:
    dumps, agreed, held, locked = run()
    assert (dumps, agreed, held) == ("True", "True", locked)


def test_under_a_limit_nothing_is_locked_so_that_nothing_is_refused_later() -> None:
    assert run(LIMITED) == ["True", "True", "False", "False"]
