"""What hashes and verifies: a Protocol, so that the vault need not know in which process it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.passwords.profiles import Profile
from vault.passwords.verifier import Verifier


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of a password that somebody wants to have.

    Attributes:
        common: it is in the shipped list of common passwords, or in the operator's own.
        score: 0 (guessed at once) to 4 (hard to guess), as zxcvbn has it.
        warning: why it is easy to guess, a fixed sentence of zxcvbn's; "" if it is not.
    """

    common: bool
    score: int
    warning: str


@dataclass(frozen=True, slots=True)
class Load:
    """How busy a hasher is: hashes running and waiting, their memory and its ceiling in kibibytes."""

    running: int
    waiting: int
    memory: int
    ceiling: int


class Hasher(Protocol):
    """Hashes columns of passwords within a ceiling of memory. Safe to share between threads.

    Every method raises HashingBusy if its turn would come too late, and HashingUnavailable if the process that does the
    work cannot be reached; nothing was done then.
    """

    def hash(self, passwords: Sequence[bytes], profile: Profile, *, urgent: bool = True) -> list[str]:
        """Return an encoded Argon2id hash of each password, with a salt of its own.

        Args:
            urgent: somebody waits for it; what is not urgent comes after all that is.
        """
        ...

    def verify(self, passwords: Sequence[bytes], verifiers: Sequence[Verifier]) -> list[bool]:
        """Return whether each password is the one that the verifier beside it was made of."""
        ...

    def judge(self, passwords: Sequence[str]) -> list[Judgement]:
        """Return what is to be said of each password."""
        ...

    def load(self) -> Load:
        """Return how busy it is."""
        ...

    def close(self) -> None:
        """End it."""
        ...
