"""Conditions of a rule: on the time and place of asking, and on the row that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from vault.policy.moment import Moment
from vault.policy.networks import Network

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MODES = ("live", "test")
DAY = 1_440  # minutes


@dataclass(frozen=True, slots=True)
class When:
    """All that is given must hold.

    Attributes:
        hours: minutes of the day from which, and before which; the second is the smaller one over midnight.
        days: 0 for Monday; over midnight the day on which the hours began.
        zone: the name of the time zone of both.
        networks: names of networks, one of which it must come from.
        modes: of MODES.
        tags, without_tags: that a row must have, or must not have.
        max_age, min_age: of a row, microseconds, both inclusive.
        own: the row must be of the person that the caller acts for.
        blocks: the networks by name.
    """

    hours: tuple[int, int] | None = None
    days: frozenset[int] = frozenset()
    zone: str = ""
    networks: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    without_tags: frozenset[str] = frozenset()
    max_age: int | None = None
    min_age: int | None = None
    own: bool = False
    blocks: Mapping[str, Network] = field(default_factory=dict, compare=False, repr=False)

    @property
    def asks_time(self) -> bool:
        """Return whether it depends on the time of asking."""
        return self.hours is not None or bool(self.days)

    @property
    def asks_moment(self) -> bool:
        """Return whether it depends on when, where from or in which mode it is asked."""
        return self.asks_time or bool(self.networks or self.modes)

    @property
    def asks_rows(self) -> frozenset[str]:
        """Return what it depends on in a row: of "tags", "created", "own"."""
        asked = {
            "tags": self.tags or self.without_tags,
            "created": self.max_age is not None or self.min_age is not None,
            "own": self.own,
        }
        return frozenset(name for name, needed in asked.items() if needed)

    def holds(self, moment: Moment, unknown: bool) -> bool:
        """Return whether it holds at `moment`, the rows apart; `unknown` is the answer where that cannot be told."""
        return self.holds_mode(moment) and self.holds_time(moment) and self.holds_place(moment, unknown)

    def holds_mode(self, moment: Moment) -> bool:
        """Return whether it holds in the mode of asking."""
        return not self.modes or moment.mode in self.modes

    def holds_time(self, moment: Moment) -> bool:
        """Return whether it holds at the time of asking."""
        return not self.asks_time or self._in_time(*moment.local(self.zone))

    def holds_place(self, moment: Moment, unknown: bool) -> bool:
        """Return whether it holds for the address that it is asked from; `unknown` is the answer for none."""
        if not self.networks:
            return True
        address = moment.address
        return unknown if address is None else any(self.blocks[name].holds(address) for name in self.networks)

    def holds_tags(self, tags: frozenset[str]) -> bool:
        """Return whether it holds for a row with these tags."""
        return self.tags <= tags and self.without_tags.isdisjoint(tags)

    def holds_age(self, age: int) -> bool:
        """Return whether it holds for a row of this age in microseconds."""
        young = self.max_age is None or age <= self.max_age
        return young and (self.min_age is None or age >= self.min_age)

    def implies(self, other: When) -> bool:
        """Return whether `other` holds wherever this one does; False where that takes more than a look at each part."""
        return (
            (not other.asks_time or self._lies_in(other))
            and _narrower(self.networks, other.networks)
            and _narrower(self.modes, other.modes)
            and self.tags >= other.tags
            and self.without_tags >= other.without_tags
            and (other.max_age is None or (self.max_age is not None and self.max_age <= other.max_age))
            and (other.min_age is None or (self.min_age is not None and self.min_age >= other.min_age))
            and (self.own or not other.own)
        )

    def _in_time(self, day: int, minute: int) -> bool:
        begin, end = self.hours or (0, DAY)
        if begin < end:
            inside = begin <= minute < end
        else:
            inside = minute >= begin or minute < end
            if minute < end:
                day = (day - 1) % 7
        return inside and (not self.days or day in self.days)

    def _lies_in(self, other: When) -> bool:
        return (self.hours, self.zone) == (other.hours, other.zone) and _narrower(self.days, other.days)


def _narrower(mine: Set[object], others: Set[object]) -> bool:
    """Return whether a choice among `mine` is one among `others`, where none chosen means any."""
    return not others or (bool(mine) and mine <= others)
