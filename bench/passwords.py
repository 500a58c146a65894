"""Password hashes a second on all processors, beside the reference command, and what kept memory and huge pages give.

The reference is the command `argon2` of Debian's package argon2. It prints the processor time of its hash, that of all
its threads and without its start: so all processors could make `processors / time` hashes a second, were they never
idle. As many commands run side by side as fill the processors with their threads. Ours goes by the wall clock, from the
call to the last result. Other work on the machine therefore slows only ours; the note has the ratio by processor time
on both sides, and by the wall clock on both, where the command's start counts, and two hashes, for it verifies its own.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median

from argon2.low_level import Type, hash_secret

from bench.lines import Line
from bench.plan import Plan
from bench.rounds import interleave
from vault.passwords.pool import Pool
from vault.passwords.profiles import PROFILES, Profile

NAMES = ("rfc9106-low-memory", "owasp", "owasp-46")
TARGET = 0.95
PASSWORD, SALT = b"correct horse battery staple", b"sixteen bytes of"
REFERENCE = "argon2 command"
CORES = len(os.sched_getaffinity(0))
_THP_DISABLE = 41  # PR_SET_THP_DISABLE, linux/prctl.h
_TIME = re.compile(rb"([0-9.]+) seconds")


def run(plan: Plan) -> Iterator[Line]:
    """Measure three profiles, each in turns with its peers."""
    reference = shutil.which("argon2")
    for name in NAMES:
        yield from _profile(plan, PROFILES[name], reference)


def _profile(plan: Plan, profile: Profile, reference: str | None) -> Iterator[Line]:
    ours, plain = _Ours(profile, plan.hashes * CORES), _Ours(profile, plan.hashes * CORES)
    theirs = _Theirs(profile, plan.hashes)
    cffi = f"argon2-cffi in {CORES} threads"
    small = "the same without"
    measures = {
        "ours": ours.rate,
        small: partial(_small_pages, plain.rate),
        cffi: partial(_cffi, profile, plan.hashes),
    }
    if reference:
        measures[REFERENCE] = theirs.rate
    with closing(ours), closing(plain):
        rates = interleave(measures, plan.rounds)
    rate, what = rates["ours"], f"{profile.name}, {profile.parameters}"
    note = theirs.note(ours) if reference else "the package argon2 is not installed"
    yield Line("passwords", "", what, rate, "hashes", REFERENCE, rates.get(REFERENCE), TARGET, note)
    yield Line("passwords", "", f"{profile.name}, kept memory", rate, "hashes", cffi, rates[cffi])
    yield Line("passwords", "", f"{profile.name}, huge pages", rate, "hashes", small, rates[small])


class _Ours:
    """A column through the pool.

    Attributes:
        spent: the processor seconds of a hash, by column.
        rates: hashes a second by the wall clock, by column.
    """

    def __init__(self, profile: Profile, size: int) -> None:
        self._profile, self._passwords = profile, [PASSWORD] * size
        self._pool = Pool(profile.memory * CORES, 3_600)
        self.spent: list[float] = []
        self.rates: list[float] = []

    def rate(self) -> float:
        start, processor = time.perf_counter(), time.process_time()
        self._pool.hash(self._passwords, self._profile)
        took = time.perf_counter() - start
        self.spent.append((time.process_time() - processor) / len(self._passwords))
        self.rates.append(len(self._passwords) / took)
        return self.rates[-1]

    def close(self) -> None:
        self._pool.close()


@dataclass
class _Theirs:
    """The reference command, so many times on each processor.

    Attributes:
        spent: the processor seconds that each printed.
        rates: hashes a second by the wall clock, by column.
    """

    profile: Profile
    hashes: int
    spent: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def rate(self) -> float:
        beside, start = -(-CORES // self.profile.lanes), time.perf_counter()
        with ThreadPoolExecutor(beside) as threads:
            found = list(threads.map(self._one, range(self.hashes * CORES)))
        self.rates.append(2 * len(found) / (time.perf_counter() - start))
        self.spent += found
        return CORES / median(found)

    def _one(self, _: int) -> float:
        t, k, p = (str(n) for n in (self.profile.passes, self.profile.memory, self.profile.lanes))
        command = ["argon2", SALT.decode().replace(" ", "-"), "-id", "-t", t, "-k", k, "-p", p, "-l", "32"]
        done = subprocess.run(command, input=PASSWORD, capture_output=True, check=True)
        printed = _TIME.search(done.stdout)
        assert printed is not None
        return float(printed[1])

    def note(self, ours: _Ours) -> str:
        """Return the ratio with the same clock on both sides."""
        mine, theirs = median(ours.spent), median(self.spent)
        wall = median(ours.rates) / median(self.rates)
        times = f"{mine * 1_000:.1f} against {theirs * 1_000:.1f} ms"
        return f"processor time {times} = {theirs / mine:.2f}; wall clock {wall:.2f}"


def _cffi(profile: Profile, hashes: int) -> float:
    """Return the rate of argon2-cffi's own function, which has its memory from malloc and a thread a lane."""

    def one(_: int) -> None:
        hash_secret(PASSWORD, SALT, profile.passes, profile.memory, profile.lanes, 32, Type.ID)

    start = time.perf_counter()
    with ThreadPoolExecutor(CORES) as threads:
        list(threads.map(one, range(hashes * CORES)))
    return hashes * CORES / (time.perf_counter() - start)


def _small_pages(measure: Callable[[], float]) -> float:
    with _no_huge_pages():
        return measure()


@contextmanager
def _no_huge_pages() -> Iterator[None]:
    """Give this process no more huge pages, whatever it asks for."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_THP_DISABLE, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_THP_DISABLE, 0, 0, 0, 0)
