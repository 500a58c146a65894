"""Retention: what stays is always enough to restore, and clocks that are wrong remove nothing more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.backup.model import Kind
from vault.backup.plan import Keep
from vault.errors import InvalidRequest
from vault.recovery import retention

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR
NOON = int(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp() * 1e6)  # a Wednesday


@dataclass(frozen=True)
class Made:
    number: int
    kind: Kind
    base: int | None
    taken_at: int


def line(steps: list[tuple[Kind, int]], start: int = NOON) -> list[Made]:
    """Return backups made one after the other, each so many microseconds after the one before."""
    found: list[Made] = []
    for number, (kind, after) in enumerate(steps, 1):
        start += after
        firm = next((made.number for made in reversed(found) if made.kind != "journal"), None)
        base = found[-1].number if found and kind == "journal" else firm
        alone = kind == "full" or base is None
        found.append(Made(number, "full" if alone else kind, None if alone else base, start))
    return found


KINDS = st.sampled_from(["full", "incremental", "incremental", "journal", "journal"])
LINES = st.lists(st.tuples(KINDS, st.integers(1, 3 * DAY)), min_size=1, max_size=40).map(line)
KEEPS = st.builds(Keep, st.integers(1, 4), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
QUICK = settings(max_examples=40, deadline=None)


def only(points: list[Made], numbers: set[int]) -> list[Made]:
    return [point for point in points if point.number in numbers]


def removed(points: list[Made], keep: Keep, now: int) -> set[int]:
    return {point.number for point in points} - retention.kept(points, keep, now)


def test_so_many_days_weeks_and_months_stay() -> None:
    days = line([("full", DAY) for _ in range(120)], NOON - 120 * DAY)  # up to 2026-03-04
    stay = only(days, retention.kept(days, Keep(2, 4, 3, 3), NOON))
    assert [datetime.fromtimestamp(one.taken_at / 1e6, UTC).strftime("%m-%d") for one in stay] == [
        "01-31",  # the end of a month
        "02-22", "02-28",  # a Sunday; the end of a month
        "03-01", "03-02", "03-03", "03-04",
    ]  # fmt: skip


def test_a_chain_stays_as_long_as_its_end() -> None:
    week = line([("full", 0), *[("incremental", DAY)] * 6, ("full", DAY)])
    assert retention.kept(week, Keep(1, 2, 0, 0), NOON + 8 * DAY) == {1, 2, 3, 4, 5, 6, 7, 8}
    assert retention.kept(week, Keep(1, 1, 0, 0), NOON + 8 * DAY) == {8}


def test_journals_stay_from_the_oldest_of_the_newest_points_on() -> None:
    hours = line(
        [
            ("full", 0),
            ("journal", 1),
            ("incremental", HOUR),
            ("journal", 1),
            ("incremental", HOUR),
            ("journal", 1),
        ]
    )
    assert retention.kept(hours, Keep(2, 0, 0, 0), NOON + DAY) == {1, 3, 4, 5, 6}
    assert retention.kept(hours, Keep(1, 9, 9, 9), NOON + DAY) == {1, 3, 5, 6}


def test_a_journal_that_something_builds_on_stays() -> None:
    points = [Made(1, "full", None, 1), Made(2, "journal", 1, 2), Made(3, "incremental", 2, 3)]
    assert retention.kept(points, Keep(1, 0, 0, 0), 9) == {1, 2, 3}


def test_what_lacks_a_link_takes_no_place() -> None:
    points = [
        Made(1, "full", None, NOON),
        Made(3, "incremental", 2, NOON + 1),
        Made(4, "incremental", 3, NOON + 2),
    ]
    assert retention.kept(points, Keep(1, 1, 1, 1), NOON + DAY) == {1, 3, 4}
    points.append(Made(5, "full", None, NOON + 3))
    assert retention.kept(points, Keep(1, 0, 0, 0), NOON + DAY) == {5}


def test_nothing_stays_of_nothing() -> None:
    assert retention.kept([], Keep(), NOON) == set() == retention.keyrings([], 2)


@QUICK
@given(LINES, KEEPS, st.integers(-10 * DAY, 200 * DAY))
def test_the_newest_stays_and_every_chain_is_whole(points: list[Made], keep: Keep, shift: int) -> None:
    stay = only(points, retention.kept(points, keep, NOON + shift))
    numbers = {point.number for point in stay}
    assert points[-1] in stay
    assert all(point.base is None or point.base in numbers for point in stay)
    firm = [point.number for point in points if point.kind != "journal"]
    assert set(firm[-keep.last :]) <= numbers


@QUICK
@given(LINES, KEEPS)
def test_doing_it_twice_removes_nothing_more(points: list[Made], keep: Keep) -> None:
    now = points[-1].taken_at
    stay = retention.kept(points, keep, now)
    assert retention.kept(only(points, stay), keep, now) == stay


@QUICK
@given(LINES, KEEPS, st.integers(1, 40))
def test_what_went_is_never_missed(points: list[Made], keep: Keep, cut: int) -> None:
    """With time, the same backups are wanted or fewer: so removing early and late come to the same."""
    before = points[:cut]
    went = removed(before, keep, before[-1].taken_at)
    later = only(points, {point.number for point in points} - went)
    assert went <= removed(points, keep, points[-1].taken_at)
    assert retention.kept(later, keep, points[-1].taken_at) == retention.kept(
        points, keep, points[-1].taken_at
    )


@QUICK
@given(LINES, KEEPS, st.sampled_from(["last", "daily", "weekly", "monthly"]))
def test_who_keeps_more_loses_none(points: list[Made], keep: Keep, name: str) -> None:
    more = replace(keep, **{name: getattr(keep, name) + 1})
    now = points[-1].taken_at
    assert retention.kept(points, keep, now) <= retention.kept(points, more, now)


@QUICK
@given(LINES, KEEPS, st.sampled_from([-DAY, DAY]))
def test_a_clock_that_reads_another_day_removes_nothing_more(
    points: list[Made], keep: Keep, shift: int
) -> None:
    now = points[-1].taken_at
    assert removed(points, keep, now + shift) <= removed(points, keep, now)


@QUICK
@given(
    st.integers(2, 90), st.tuples(st.integers(0, 90), st.integers(0, 90)), st.sampled_from([-DAY, DAY]), KEEPS
)
def test_what_was_stamped_a_day_wrong_pushes_nothing_out(
    count: int, wrong: tuple[int, int], shift: int, keep: Keep
) -> None:
    """Some were made while the clock was a day wrong; of the others just those go that would have gone anyway."""
    true = line([("full", 3 * HOUR)] * count)
    skewed = range(min(wrong), max(wrong))
    stamped = [
        replace(one, taken_at=one.taken_at + shift) if at in skewed else one for at, one in enumerate(true)
    ]
    firm = {one.number for at, one in enumerate(true) if at not in skewed}
    now = true[-1].taken_at
    assert removed(stamped, keep, now) & firm <= removed(true, keep, now)


@QUICK
@given(st.integers(2, 90), st.integers(0, 90), KEEPS)
def test_while_the_clock_is_a_day_ahead_backups_go_a_day_early_at_most(
    count: int, at: int, keep: Keep
) -> None:
    true = line([("full", 3 * HOUR)] * (count + 8))
    now = line([("full", 3 * HOUR)] * count)
    ahead = [
        replace(one, taken_at=one.taken_at + DAY) if index >= at else one for index, one in enumerate(now)
    ]
    gone = removed(ahead, keep, now[-1].taken_at + DAY)
    assert {one for one in gone if one <= at} <= removed(true, keep, true[-1].taken_at)


@QUICK
@given(LINES, st.integers(1, 3))
def test_of_keyrings_the_newest_stay_with_what_builds_on_them(points: list[Made], count: int) -> None:
    stay = only(points, retention.keyrings(points, count))
    fulls = [point.number for point in points if point.kind == "full"]
    assert stay == [point for point in points if point.number >= fulls[-count:][0]]
    assert {point.number for point in stay} == retention.keyrings(stay, count)


def test_a_keyring_that_says_more_than_the_full_one_stays_until_another_does() -> None:
    """Of 4, taken while 3 was being made, the newest data have keys that 3 does not have."""
    points = [
        Made(1, "full", None, 1),
        Made(2, "journal", 1, 2),
        Made(3, "full", None, 3),
        Made(4, "journal", 2, 4),
    ]
    assert retention.keyrings(points, 1) == {1, 2, 3, 4}
    assert retention.keyrings([*points, Made(5, "journal", 3, 5)], 1) == {3, 5}


def test_what_is_needed_stays() -> None:
    points = [Made(1, "full", None, 1), Made(2, "journal", 1, 2), Made(3, "full", None, 3)]
    assert retention.kept(points, Keep(1, 0, 0, 0), 9) == {3} == retention.keyrings(points, 1)
    assert retention.kept(points, Keep(1, 0, 0, 0), 9, [2]) == {1, 2, 3} == retention.keyrings(points, 1, [2])


@pytest.mark.parametrize(
    "text",
    ["last=0", "daily=7", "last=3 last=3", "last=3,daily=7", "last=-1", "yearly=1 last=1", "", "last=1001"],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        retention.parse(text)


def test_a_rule_is_read() -> None:
    assert retention.parse("last=3 daily=7 weekly=4 monthly=12") == Keep(3, 7, 4, 12)
    assert retention.parse(" monthly=2  last=1 ") == Keep(1, 0, 0, 2)
