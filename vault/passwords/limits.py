"""How much guessing is let through, by account and by source."""

from __future__ import annotations

from dataclasses import dataclass

from vault.errors import InvalidRequest

DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """How many failures are let through, and what comes then.

    Attributes:
        free: failures of an account that cost no wait; after each further one the wait doubles, from one second on.
        longest: seconds that an account waits at most (PCI DSS v4.0.1, 8.3.4: ten attempts, half an hour).
        lock: failures after which only an operator, or a new password, lets the account through; at most 100.
        source_free, source_longest: the same of a source, such as an address; it is never locked, for many share one.
        forget: seconds after its last failure, or the end of its wait, in which a source is forgotten.
    """

    free: int = 10
    longest: int = 1_800
    lock: int = 100
    source_free: int = 50
    source_longest: int = 3_600
    forget: int = DAY

    def __post_init__(self) -> None:
        if not 1 <= self.free < self.lock <= 100:
            raise InvalidRequest(
                "an account is locked after at most 100 failures, and after more than are free"
            )
