"""`strongroom hasher`: the one process of a host that hashes passwords, behind everything else that wants to run."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import click

from api.cli.ending import Ending
from api.cli.failure import Failure
from vault.errors import VaultError

if TYPE_CHECKING:
    from api.config import Settings
    from vault.passwords.pool import Pool

LOWEST = 19  # nice(1)
WARM_SECONDS = 5.0  # after the start
LARGE = 1 << 20  # bytes
_M_MMAP_THRESHOLD = -3  # malloc.h
HINT = "set STRONGROOM_HASHER_SOCKET to a path of its own in a folder of this user's alone"


@click.command(short_help="Hash passwords for the services of this host.")
@click.option("--parent", type=int, hidden=True, help="End when this parent process has.")
def hasher(parent: int | None) -> None:
    """Hash passwords until SIGTERM or Ctrl-C, for all services of this host that name its STRONGROOM_HASHER_SOCKET.

    `strongroom serve` runs one by itself where that is not set. STRONGROOM_HASHING_MEMORY_MIB is the ceiling of
    the memory of all hashes at once. It needs neither database nor root key.
    """
    from api.cli import surroundings

    ending = Ending(parent)
    settings = surroundings.settings()
    surroundings.allow_files()
    if settings.hasher_socket is None:
        raise Failure("a hasher needs a socket to listen at", HINT)
    _serve(settings, settings.hasher_socket, ending)


def stand_back() -> None:
    """Give this thread, and those that it starts, what processor time nobody else wants.

    SCHED_IDLE left tokenizing no faster (measured, 100 requests a second and full load), and verifications the slower:
    with every core taken it gives next to nothing, and log-ins would end. SCHED_BATCH never cuts in on who runs.
    """
    os.nice(LOWEST)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _warm(pool: Pool) -> None:
    """Load the lists, which takes a second or more: neither while a service starts, nor while somebody waits for it."""
    time.sleep(WARM_SECONDS)
    with suppress(VaultError):  # it ends already
        pool.judge(["a first sentence"])


def give_memory_back() -> None:
    """Have malloc map what is large apart, and give it back when it is freed (mallopt(3)).

    Left to itself, glibc keeps blocks of up to 32 MiB once one of that size was freed: those of scrypt stayed in each
    thread, beside the memory of the hashes that ran.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no such setting, and keeps nothing
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE)


def _serve(settings: Settings, path: Path, ending: Ending) -> None:
    from api.hashing.late import open_pool
    from api.hashing.place import Taken, listening
    from api.hashing.server import Server
    from api.logs import RequestLog
    from keys import resident

    resident.keep_out_of_files()
    log = RequestLog(settings.log_level)
    try:
        give_memory_back()
        stand_back()  # not before: somebody waits for it to start
        with listening(path) as listener, closing(open_pool(settings)) as pool:
            Thread(target=_warm, args=(pool,), daemon=True).start()
            Server(listener, pool, lambda error: log.failure(error, "hasher")).serve(ending)
    except Taken:
        raise Failure(
            f"another hasher listens at {path}", "one is enough for all services of a host"
        ) from None
    except OSError as error:
        raise Failure(f"cannot listen at {path}: {error.strerror}", HINT) from None
