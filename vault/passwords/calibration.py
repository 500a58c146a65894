"""Parameters measured on a machine: as strong as fits into the time that a log-in may take (RFC 9106, section 4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from statistics import median

from vault.errors import InvalidRequest
from vault.passwords import argon2id
from vault.passwords.arena import Arena
from vault.passwords.profiles import INTERACTIVE, MOST_MEMORY, MOST_PASSES, PROFILES, Profile, parse
from vault.passwords.work import Work
from vault.passwords.workers import Workers

MEMORY = 65_536  # kibibytes; RFC 9106, section 4, second recommended option, and its passes
PASSES = 3
STEP = 1_024  # kibibytes, that memory is a multiple of
PATIENCE = 3_600.0  # seconds: there is nobody else
HASHES = 5  # that each processor makes of one profile
TRIES = 4
CLOSE, MARGIN = 0.93, 0.97  # of the target: what is near enough, and what the next try aims at

Measure = Callable[[Profile], float]

_OWASP = [
    Profile(INTERACTIVE, one.memory, one.passes, 1)
    for one in sorted(PROFILES.values(), key=lambda one: -one.memory)
    if one.name.startswith("owasp")
]


@dataclass(frozen=True, slots=True)
class Measured:
    """A profile, and the median of the seconds that a hash takes while all processors hash."""

    profile: Profile
    seconds: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found.

    Attributes:
        found: the profile that comes closest below the target; if none does, the quickest that is strong enough.
        met: it takes no longer than the target.
        named: the named profiles that fit into the memory, as they do here.
    """

    found: Measured
    met: bool
    named: tuple[Measured, ...]

    @property
    def profile(self) -> Profile:
        """The profile named interactive."""
        return self.found.profile


def calibrate(
    target_seconds: float,
    ceiling: int,
    clock: Callable[[], float],
    tell: Callable[[Profile], None] = lambda _: None,
) -> Calibration:
    """Measure hashes on this machine, on all processors that this process may use, for some seconds.

    Args:
        target_seconds: what one hash may take at most.
        ceiling: kibibytes of all hashes that run at once.
        clock: gives seconds that only grow.
        tell: hears of each profile before it is measured.
    """
    cores = len(os.sched_getaffinity(0))
    workers = Workers(ceiling, PATIENCE, cores, cores * HASHES, clock)

    def measure(profile: Profile) -> float:
        tell(profile)
        works = [_timed(profile, clock) for _ in range(cores * HASHES)]
        return float(median(workers.do(works, urgent=True)))

    try:
        named = [profile for profile in PROFILES.values() if profile.memory <= ceiling]
        found = find(target_seconds, ceiling // cores, measure)
        times = tuple(Measured(profile, measure(profile)) for profile in named)
    finally:
        workers.close()
    return Calibration(found, found.seconds <= target_seconds, times)


def find(target: float, share: int, measure: Measure) -> Measured:
    """Return the profile whose time comes closest below the target, by what `measure` says.

    Time grows nearly in proportion to memory times passes, so each measurement tells what to try next.
    Above 64 MiB memory grows only while the passes stay three, as many as RFC 9106 gives that memory.

    Args:
        target: seconds.
        share: kibibytes for one hash.
    """
    least = [profile for profile in _OWASP if profile.memory <= share] or [_OWASP[-1]]
    first = _strongest(MEMORY, min(share, MEMORY)) or least[-1]
    work = first.memory * first.passes * target / measure(first)
    below: list[Measured] = []
    for _ in range(TRIES):
        fits = _strongest(work, min(share, max(MEMORY, ceil(work / PASSES)), MOST_MEMORY))
        if fits is None:
            break
        seconds = measure(fits)
        if seconds <= target:
            below.append(Measured(fits, seconds))
        if CLOSE * target <= seconds <= target:
            break
        work = fits.memory * fits.passes * MARGIN * target / seconds
    if below:
        return max(below, key=lambda one: one.seconds)
    return min((Measured(profile, measure(profile)) for profile in least), key=lambda one: one.seconds)


def _strongest(work: float, most: int) -> Profile | None:
    """Return the profile with so much memory times passes, in the fewest passes that `most` kibibytes allow."""
    passes = min(MOST_PASSES, ceil(work / most))
    while passes <= MOST_PASSES:
        profile = _interactive(min(most, int(work / passes)) // STEP * STEP, passes)
        if profile is not None:
            return profile
        passes += 1
    return None


def _interactive(memory: int, passes: int) -> Profile | None:
    """Return that profile; None if it is weaker than all of OWASP's."""
    try:
        return parse(f"{INTERACTIVE}:m={memory},t={passes},p=1")
    except InvalidRequest:
        return None


def _timed(profile: Profile, clock: Callable[[], float]) -> Work:
    """Return the work of a hash whose result is its seconds."""

    def call(arena: Arena | None) -> float:
        began = clock()
        argon2id.hash_password(b"correct horse battery staple", profile, arena)
        return clock() - began

    return Work(profile.memory, profile.parameters, 1, call, mapped=True)
