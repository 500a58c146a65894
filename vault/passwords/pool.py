"""The Hasher of this process: Argon2id, older hashes and judgements on as many threads as there are processors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from hmac import compare_digest
from typing import Any

from vault.passwords import argon2id
from vault.passwords.arena import Arena
from vault.passwords.hasher import Judgement, Load
from vault.passwords.profiles import Profile
from vault.passwords.verifier import ARGON2ID, WRAPPED, Verifier
from vault.passwords.work import Work
from vault.passwords.workers import Workers

MOST_WAITING = 10_000  # passwords
LITTLE = 64  # kibibytes of a legacy hash, for which kept memory need not make room


class Pool:
    """See Hasher; its threads begin at once, so it is made after a fork.

    Each method also takes `seconds`, which whoever asks has left to wait, if that is less than `wait_seconds`. An
    urgent column whose last password would begin later is refused, were it the only one; one that is not urgent only
    waits for others, however long it is.
    """

    def __init__(
        self,
        ceiling: int,
        wait_seconds: float,
        *,
        threads: int | None = None,
        most: int = MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the threads.

        Args:
            ceiling: kibibytes of memory of all hashes that run at once.
            wait_seconds: how long a password waits for its turn.
            threads: passwords that are worked on at once; by default one a processor that this process may use.
            most: passwords that wait.
            clock: gives seconds that only grow.
        """
        cores = threads or len(os.sched_getaffinity(0))
        self._workers = Workers(ceiling, wait_seconds, cores, most, clock)

    def hash(
        self,
        passwords: Sequence[bytes],
        profile: Profile,
        *,
        urgent: bool = True,
        seconds: float | None = None,
    ) -> list[str]:
        """See Hasher; HashTooCostly if one hash needs more than the ceiling."""
        works = [
            _argon2(ARGON2ID, profile.memory, profile.passes, partial(argon2id.hash_password, one, profile))
            for one in passwords
        ]
        return self._workers.do(works, urgent=urgent, seconds=seconds)

    def verify(
        self, passwords: Sequence[bytes], verifiers: Sequence[Verifier], *, seconds: float | None = None
    ) -> list[bool]:
        """See Hasher; HashTooCostly if one hash needs more than the ceiling."""
        works = [_verification(*pair) for pair in zip(passwords, verifiers, strict=True)]
        return self._workers.do(works, urgent=True, seconds=seconds)

    def judge(self, passwords: Sequence[str], *, seconds: float | None = None) -> list[Judgement]:
        """See Hasher."""
        works = [Work(0, "judge", 1, partial(_judge, one), mapped=False) for one in passwords]
        return self._workers.do(works, urgent=True, seconds=seconds)

    def load(self) -> Load:
        """See Hasher."""
        return self._workers.load()

    def close(self) -> None:
        """End the threads when each has done what it has begun; who waits gets HashingUnavailable."""
        self._workers.close()


def _argon2(kind: str, memory: int, passes: int, call: Callable[[Arena | None], Any]) -> Work:
    return Work(memory, kind, memory * passes, call, mapped=True)


def _verification(password: bytes, verifier: Verifier) -> Work:
    """Return the work that verifies a password, by the verifier's scheme."""
    scheme = verifier.scheme
    if scheme in argon2id.SCHEMES:
        memory, passes, *_ = argon2id.parameters(verifier.encoded)
        return _argon2(scheme, memory, passes, partial(argon2id.verify_one, password, verifier.encoded))
    from vault.passwords import legacy

    if scheme.startswith(WRAPPED):
        memory, passes, *_ = argon2id.parameters(verifier.encoded)
        before = legacy.memory(scheme.removeprefix(WRAPPED), verifier.inner)
        return _argon2(scheme, max(before, memory), passes, partial(_verify_wrapped, password, verifier))
    memory = legacy.memory(scheme, verifier.encoded)
    return Work(memory, scheme, 1, partial(_verify_legacy, password, verifier), mapped=False)


def _verify_wrapped(password: bytes, verifier: Verifier, arena: Arena | None) -> bool:
    from vault.passwords import legacy

    scheme = verifier.scheme.removeprefix(WRAPPED)
    if arena is not None and legacy.memory(scheme, verifier.inner) > LITTLE:
        arena.release()  # what both take is counted once, for one comes after the other
    inner = legacy.digest(scheme, verifier.inner, password)
    return argon2id.verify_one(inner.encode(), verifier.encoded, arena)


def _verify_legacy(password: bytes, verifier: Verifier, arena: Arena | None) -> bool:
    from vault.passwords import legacy

    found = legacy.digest(verifier.scheme, verifier.encoded, password)
    return compare_digest(found.encode(), verifier.encoded.encode())


def _judge(password: str, arena: Arena | None) -> Judgement:
    from vault.passwords import judging

    return judging.judge(password)
