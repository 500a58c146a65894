"""The check of `doctor` on hashing: what a new hash costs, the ceiling, and a hasher that runs on its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from api.cli.findings import Finding, fail, ok, warn
from api.config import Settings
from vault.errors import HashingUnavailable

MIB = 1 << 20
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, as it sees itself (Linux cgroup-v2.rst)
MUCH = 0.5  # of the machine's memory
CEILING = "STRONGROOM_HASHING_MEMORY_MIB"


def hashing(settings: Settings) -> Iterator[Finding]:
    """Tell whether profile, ceiling and machine go together, and whether a hasher of its own answers."""
    profile, ceiling, machine = settings.profile(), settings.hashing_memory_mib, machine_mib()
    text = f"{profile.name}: {_mib(profile.memory)} MiB a hash, at most {ceiling} MiB at once"
    if ceiling > machine:
        yield fail("hashing", f"{text}, and the machine has {machine}", f"lower {CEILING}")
    elif ceiling > MUCH * machine:
        yield warn(
            "hashing",
            f"{text}, and the machine has {machine}",
            f"lower {CEILING}, or see that nothing else needs it",
        )
    else:
        yield ok("hashing", text)
    if settings.hasher_socket is not None:
        yield from _hasher(settings)


def machine_mib() -> int:
    """Return how much memory there is here, in MiB: the machine's, or less where its control group has a limit."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MIB
    try:
        return min(pages, int(LIMIT.read_text()) // MIB)
    except (OSError, ValueError):  # none, or "max"
        return pages


def _hasher(settings: Settings) -> Iterator[Finding]:
    from api.wiring import open_hasher

    with closing(open_hasher(settings)) as hasher:
        try:
            load = hasher.load()
        except HashingUnavailable as error:
            yield fail(
                "hasher",
                f"{settings.hasher_socket}: {error}",
                "start `strongroom hasher`, or unset STRONGROOM_HASHER_SOCKET",
            )
            return
    if load.ceiling < settings.profile().memory:
        yield fail(
            "hasher",
            f"its ceiling of {_mib(load.ceiling)} MiB is less than one hash takes",
            f"start it with a higher {CEILING}",
        )
        return
    yield ok("hasher", f"{settings.hasher_socket} answers: {load.running} run, {load.waiting} wait")


def _mib(kibibytes: int) -> int:
    return -(-kibibytes // 1_024)
