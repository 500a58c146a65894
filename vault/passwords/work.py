"""What is to be done of a password, alone and in a column, and when it began."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

from vault.passwords.arena import Arena


@dataclass(frozen=True, slots=True)
class Work:
    """One password's work.

    Attributes:
        memory: kibibytes while it runs.
        kind: works of a kind take time in proportion to their `size`.
        call: does it, in the arena if it is given one.
        mapped: it is to be given one.
    """

    memory: int
    kind: str
    size: float
    call: Callable[[Arena | None], Any]
    mapped: bool


class Column:
    """Works that are asked for together: all of them are done, or it is refused.

    Attributes:
        patience: seconds from its coming to when all of an urgent column has begun; of one that is not urgent, to when
            its first work begins, and from one to the next: nobody waits for it, so it may be as long as it likes.
        deadline: a work that has not begun by then never does.
        waiting: works that have not begun, each with its place.
        over: all are done, or `error` says why not.
    """

    def __init__(self, works: Sequence[Work], now: float, patience: float, urgent: bool) -> None:
        self.patience, self.deadline, self.urgent = patience, now + patience, urgent
        self.waiting = deque(enumerate(works))
        self.results: list[Any] = [None] * len(works)
        self.left = len(works)
        self.error: Exception | None = None
        self.over = Event()


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A work that runs, its place in its column, and since when."""

    column: Column
    place: int
    work: Work
    began: float
