"""What a policy is asked and what it answers: plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# From the least that is seen of a value to the most; a grant of one includes those before it.
VIEWS = ("match", "fingerprint", "last4", "masked", "full")

# Operations on tokens and their values, for which rules name fields; all others are about the service itself.
ON_VALUES = frozenset({
    "tokenize", "reveal", "find", "describe", "list", "delete", "erase", "compare", "decoys",
})  # fmt: skip
SEEING = frozenset({"reveal", "compare"})  # of them, those that have a purpose and a view

Seen = Literal["match", "fingerprint", "last4", "masked", "full"]
Need = Literal["case", "consent"]


@dataclass(frozen=True, slots=True)
class Situation:
    """What is asked of a policy, apart from the rows.

    Attributes:
        roles: of the caller, by `Policy.roles_of`.
        operation: of `columns.OPERATIONS`; "reveal_plain" is "reveal" in view "full".
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
        fields: each row's field type; one row of "" for an operation that is on no values (not of ON_VALUES).
        tags: each row's tags as stored, separated by spaces; None for a row without.
        created: when each was made, microseconds since 1970.
        own: whether each is of the person that the caller acts for.
    """

    fields: Sequence[str]
    tags: Sequence[str | None] | None = None
    created: Sequence[int] | None = None
    own: Sequence[bool] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row, to be explained or tried.

    Attributes:
        field: its field type; empty for an operation that is on no values.
        age: microseconds.
        own: whether it is of the person that the caller acts for.
    """

    field: str = ""
    tags: frozenset[str] = frozenset()
    age: int = 0
    own: bool = False


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


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of the document (0: none of it) and what is said of it.

    Attributes:
        verdict: of an explanation: "allows", "denies", "does not apply" for a rule, "note", and at its end "allowed" or
            "denied"; of what a check found: "warning".
        words: a sentence.
    """

    line: int
    verdict: str
    words: str


def claim_of(issuer: str, claim: str) -> str:
    """Return how `Actor.claims` names a claim of an issuer, whose URL has no # (OpenID Connect Core 1.0, section 2)."""
    return f"{issuer}#{claim}"
