"""What a policy is asked and what it answers: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# From the least that is seen of a value to the most; a grant of one includes those before it.
VIEWS = ("match", "fingerprint", "last4", "masked", "full")

Seen = Literal["match", "fingerprint", "last4", "masked", "full"]
Need = Literal["case", "consent"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What is asked of a policy, apart from the rows.

    Attributes:
        roles: of the caller, by `Policy.roles_of`.
        operation: of `granting.OPERATIONS`.
        purpose: canonical; empty where the operation has none.
        view: of VIEWS; empty where nothing is seen of a value.
        at: seconds since 1970 (UTC).
        origin: the address that it comes from; None where that is not known.
        mode: "live" or "test".
    """

    roles: frozenset[str]
    operation: str
    purpose: str = ""
    view: str = ""
    at: float = 0.0
    origin: str | None = None
    mode: str = "live"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a policy may look at in rows, in columns of one length; None for what it does not ask (`Policy.looks_at`).

    Attributes:
        fields: each row's field type.
        tags: each row's tags as stored, separated by spaces; None for a row without.
        created: when each was made, microseconds since 1970.
        own: whether each is of the person that the caller acts for.
    """

    fields: Sequence[str]
    tags: Sequence[str | None] | None = None
    created: Sequence[int] | None = None
    own: Sequence[bool] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, by which line of the document (0: no rule speaks of it), and why, in fixed words."""

    allowed: bool
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Budget:
    """Values that a caller may reveal, in view `full` or `last4`, a minute, hour and day (UTC); None for any number."""

    minute: int | None = None
    hour: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """When a caller is taken for one who tries tokens out.

    Attributes:
        misses: tokens named in a minute that there are not, from which it is slowed down.
        pause: seconds that it is first refused for; doubled with every further sweep within an hour, up to an hour.
    """

    misses: int = 1_000
    pause: int = 5
