"""Which backups stay: the newest, and the newest of so many days, weeks and months; each with all that it builds on.

A day (week, month) that has no backup takes no place: a service that stood still loses nothing by it. A clock that was
wrong loses nothing either. A backup of the future, as `now` has it, stays and takes no place until its time has come.
Of each day stay the last one made and the last one that was later than all before it, which are two only where the
clock was set back. While a clock is ahead, a backup may go by so much earlier.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from vault.backup.model import Kind
from vault.backup.plan import Keep
from vault.errors import InvalidRequest

MOST = 1_000  # of each sort
NAMES = ("last", "daily", "weekly", "monthly")
_PART = re.compile(r"([a-z]+)=([0-9]{1,4})")
_DAY = 86_400_000_000  # microseconds
_MONDAY = 3  # 1970-01-01 was a Thursday, and ISO 8601 weeks begin on Mondays


class Point(Protocol):
    """What is asked of a backup, as `store.catalogue.Backup` has it."""

    @property
    def number(self) -> int:
        """Rises in the order of the states that backups are of."""

    @property
    def kind(self) -> Kind:
        """Full, incremental or journal."""

    @property
    def base(self) -> int | None:
        """The number that it builds on; None for a full one."""

    @property
    def taken_at(self) -> int:
        """When it was taken, in microseconds since 1970 (UTC)."""


def parse(text: str) -> Keep:
    """Read `last=3 daily=7 weekly=4 monthly=12`, each of them once, in any order; what is not named is 0.

    Raises InvalidRequest: it is something else, `last` is not 1 to 1,000, or another is more than 1,000.
    """
    found: dict[str, int] = {}
    for part in text.split():
        match = _PART.fullmatch(part)
        if match is None or match[1] not in NAMES or match[1] in found:
            raise InvalidRequest("what is kept is said as `last=3 daily=7 weekly=4 monthly=12`")
        found[match[1]] = int(match[2])
    if not found.get("last") or max(found.values()) > MOST:
        raise InvalidRequest(f"of what is kept, last is 1 to {MOST:,}, and the others at most that")
    return Keep(found["last"], found.get("daily", 0), found.get("weekly", 0), found.get("monthly", 0))


def kept(points: Iterable[Point], keep: Keep, now: int, needed: Iterable[int] = ()) -> set[int]:
    """Return the numbers of the data backups that stay, of all that were made and not removed.

    Full and incremental ones are restore points; a journal stays from the oldest of the `last` newest points on, so
    that any time since can be restored, or where something that stays builds on it. The newest of all always stays.

    Args:
        now: in microseconds since 1970 (UTC).
        needed: what backups build on that are being made.
    """
    known = {point.number: point for point in points}
    if not known:
        return set()
    whole = [known[number] for number in _fulls(known)]
    steps = [point for point in whole if point.kind != "journal"]
    newest = steps[-max(keep.last, 1) :]
    past = [point for point in steps if point.taken_at <= now]
    wanted = {max(known)} | {point.number for point in newest}
    for places, period in ((keep.daily, _day), (keep.weekly, _week), (keep.monthly, _month)):
        wanted |= _newest_of_each(past, places, period)
    wanted |= {point.number for point in steps if point.taken_at > now}
    wanted |= {point.number for point in whole if not newest or point.number > newest[0].number}
    return _with_bases(known, wanted.union(needed))


def keyrings(points: Iterable[Point], count: int, needed: Iterable[int] = ()) -> set[int]:
    """Return the numbers of the keyrings that stay: the `count` newest full ones, and what builds on them.

    Nothing before them stays, which may hold keys that were destroyed, and persons erased since; but for what the
    newest of all builds on, and `needed` as of `kept`. That is so for as long as it takes to ship one more: a journal
    that was made while a full one was under way builds on one before, and says more than the full one.
    """
    known = {point.number: point for point in points}
    fulls = _fulls(known)
    newest = sorted(set(fulls.values()))[-max(count, 1) :]
    stay = {number for number, full in fulls.items() if full in newest}
    return stay | _with_bases(known, {*needed, *sorted(known)[-1:]})


def _fulls(known: Mapping[int, Point]) -> dict[int, int]:
    """Return the number of the full one that each leads back to, rising; without those of which a link is missing."""
    found: dict[int, int] = {}
    for number in sorted(known):
        base = known[number].base
        if base is None:
            found[number] = number
        elif base in found:
            found[number] = found[base]
    return found


def _with_bases(known: Mapping[int, Point], numbers: Iterable[int]) -> set[int]:
    """Return the numbers, and those of all that they build on."""
    found: set[int] = set()
    for number in numbers:
        at: int | None = number
        while at is not None and at in known and at not in found:
            found.add(at)
            at = known[at].base
    return found


def _newest_of_each(points: Sequence[Point], places: int, period: Callable[[int], int]) -> set[int]:
    """Return the last made of each of the newest `places` periods, and the last later than all before it.

    Args:
        points: in the order of their numbers.
    """
    if not places:
        return set()
    made: dict[int, int] = {}
    rising: dict[int, int] = {}
    latest = -1
    for point in points:
        of = period(point.taken_at)
        made[of] = point.number
        if point.taken_at > latest:
            rising[of], latest = point.number, point.taken_at
    chosen = sorted(made)[-places:]
    return {made[of] for of in chosen} | {rising[of] for of in chosen if of in rising}


def _day(time: int) -> int:
    return time // _DAY


def _week(time: int) -> int:
    return (_day(time) + _MONDAY) // 7


def _month(time: int) -> int:
    date = datetime.fromtimestamp(time // 1_000_000, UTC)
    return date.year * 12 + date.month
