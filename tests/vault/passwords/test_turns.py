"""Turns: urgent first, then first come first served, nobody starved of memory, and the late refused in time."""

from __future__ import annotations

import pytest

from vault.errors import HashingBusy, HashingUnavailable, HashTooCostly
from vault.passwords.turns import Turns
from vault.passwords.work import Column, Turn, Work

CEILING, THREADS, MOST = 100, 2, 6
WAIT = 10.0


@pytest.fixture
def turns() -> Turns:
    return Turns(CEILING, THREADS, MOST)


def column(*memories: int, at: float = 0.0, urgent: bool = True, kind: str = "hash") -> Column:
    works = [Work(memory, kind, 1, lambda _: None, mapped=True) for memory in memories]
    return Column(works, at, WAIT, urgent)


def joined(turns: Turns, *memories: int, at: float = 0.0, urgent: bool = True, kind: str = "hash") -> Column:
    made = column(*memories, at=at, urgent=urgent, kind=kind)
    turns.join(made, at)
    return made


def begun(turns: Turns, now: float = 0.0) -> Turn:
    turn = turns.next(now)
    assert turn is not None
    return turn


def learn(turns: Turns, seconds: float, kind: str = "hash") -> None:
    """Let a work of that kind take so many seconds."""
    joined(turns, 0, kind=kind)
    turns.end(begun(turns), seconds, None)


def test_urgent_works_come_first_and_each_kind_in_the_order_of_coming(turns: Turns) -> None:
    later, first, second = (joined(turns, 1, 1, urgent=urgent) for urgent in (False, True, True))
    order = [begun(turns) for _ in range(6)]
    assert [turn.column for turn in order] == [first, first, second, second, later, later]
    assert [turn.place for turn in order] == [0, 1] * 3
    assert turns.next(0) is None


def test_works_that_run_keep_within_the_ceiling(turns: Turns) -> None:
    joined(turns, 60, 40, 1)
    first, second = begun(turns), begun(turns)
    assert turns.next(0) is None
    assert (turns.load().running, turns.load().waiting, turns.load().memory) == (2, 1, 100)
    turns.end(second, 1, None)
    assert begun(turns).work.memory == 1
    turns.end(first, 1, None)
    assert turns.load().memory == 1


@pytest.mark.parametrize("urgent", [True, False])
def test_nothing_overtakes_a_work_that_waits_for_memory(turns: Turns, urgent: bool) -> None:
    joined(turns, 10)
    small = begun(turns)
    large = joined(turns, 100, urgent=urgent)
    joined(turns, 1, urgent=False)
    assert turns.next(0) is None
    turns.end(small, 1, None)
    assert begun(turns, 1).column is large
    assert turns.next(1) is None


def test_what_no_ceiling_can_hold_is_too_costly(turns: Turns) -> None:
    with pytest.raises(HashTooCostly):
        joined(turns, 1, 101)
    assert turns.load().waiting == 0
    joined(turns, 100)


def test_only_so_many_wait(turns: Turns) -> None:
    joined(turns, *[1] * (MOST - 1))
    with pytest.raises(HashingBusy):
        joined(turns, 1, 1)
    joined(turns, 1)
    begun(turns)
    joined(turns, 1)
    with pytest.raises(HashingBusy):
        joined(turns, 1)


def test_a_column_is_over_when_all_of_it_is_done(turns: Turns) -> None:
    made = joined(turns, 1, 1)
    first, second = begun(turns), begun(turns)
    turns.end(second, 1, "b")
    assert not made.over.is_set()
    turns.end(first, 1, "a")
    assert made.over.is_set()
    assert (made.results, made.error) == (["a", "b"], None)


def test_a_column_with_a_work_that_fails_is_refused_and_the_rest_dropped(turns: Turns) -> None:
    made, error = joined(turns, 1, 1, 1), ValueError()
    first, second = begun(turns), begun(turns)
    turns.end(first, 1, error)
    assert made.over.is_set()
    assert made.error is error
    assert turns.next(1) is None
    turns.end(second, 1, HashingBusy())  # nobody hears of it
    assert made.error is error
    assert (turns.load().running, turns.load().waiting, turns.load().memory) == (0, 0, 0)


def test_a_work_whose_deadline_is_over_never_begins(turns: Turns) -> None:
    late, good = joined(turns, 1, 1), joined(turns, 1, at=1)
    first = begun(turns, WAIT)  # just in time
    assert first.column is late
    assert begun(turns, WAIT + 0.5).column is good
    assert isinstance(late.error, HashingBusy)
    turns.end(first, WAIT + 1, None)
    assert turns.load().waiting == 0


def test_a_column_expires_only_at_its_deadline_and_while_it_waits(turns: Turns) -> None:
    waits, runs = joined(turns, 60), joined(turns, 60)
    begun(turns)
    turns.expire(runs, WAIT - 0.1)
    assert not runs.over.is_set()
    turns.expire(runs, WAIT)
    assert isinstance(runs.error, HashingBusy)
    turns.expire(waits, WAIT)
    assert not waits.over.is_set()


def test_a_late_turn_is_foreseen_from_how_long_others_took(turns: Turns) -> None:
    learn(turns, 4)  # two at once in four seconds each: the fifth and sixth begin after eight
    joined(turns, 1, 1, 1, 1, 1, 1)
    for _ in range(2):
        begun(turns)
    with pytest.raises(HashingBusy):
        joined(turns, 1)  # after twelve
    turns.next(0)
    assert turns.load().waiting == 3


def test_a_column_of_its_own_may_be_too_long(turns: Turns) -> None:
    learn(turns, 5)
    joined(turns, 1, 1, 1, 1, 1, 1, at=100)  # the last two begin after ten seconds
    other = Turns(CEILING, THREADS, MOST)
    learn(other, 5.1)
    with pytest.raises(HashingBusy):
        joined(other, 1, 1, 1, 1, 1, 1, at=100)


def test_what_is_not_urgent_may_be_long_while_it_has_turns(turns: Turns) -> None:
    learn(turns, 9)
    made = joined(turns, *[1] * MOST, urgent=False)
    for now in (0, 9, 18):
        turns.expire(made, now)
        for turn in [begun(turns, now), begun(turns, now)]:
            turns.end(turn, now + 9, None)
    assert made.over.is_set()
    assert made.error is None


def test_what_is_not_urgent_and_gets_no_turn_for_long_is_refused(turns: Turns) -> None:
    made = joined(turns, 1, 1, urgent=False)
    turns.end(begun(turns, 5), 6, None)
    turns.expire(made, 5 + WAIT - 0.1)
    assert not made.over.is_set()
    assert turns.next(5 + WAIT + 0.1) is None
    assert isinstance(made.error, HashingBusy)


def test_what_runs_is_foreseen_to_end(turns: Turns) -> None:
    learn(turns, 20)
    joined(turns, 1, 1)
    begun(turns), begun(turns, 5)
    with pytest.raises(HashingBusy):
        joined(turns, 1, at=9)  # a thread is free at 20
    joined(turns, 1, at=10)


def test_memory_that_is_not_there_in_time_is_foreseen(turns: Turns) -> None:
    learn(turns, 20)
    joined(turns, 60)
    begun(turns)
    joined(turns, 40)
    with pytest.raises(HashingBusy):
        joined(turns, 41)


def test_urgent_works_do_not_count_those_that_are_not(turns: Turns) -> None:
    learn(turns, 6)
    joined(turns, *[1] * 4, urgent=False)
    with pytest.raises(HashingBusy):
        joined(turns, 1, urgent=False)
    joined(turns, 1)


def test_durations_are_learned_of_each_kind_and_follow_what_changes(turns: Turns) -> None:
    learn(turns, 100, "slow")
    joined(turns, 1, 1, 1)  # of which nothing is known
    turns.drop_all(HashingUnavailable)
    for _ in range(40):
        learn(turns, 1, "slow")
    joined(turns, 1, 1, 1, kind="slow")


def test_everything_that_waits_can_be_dropped(turns: Turns) -> None:
    runs, urgent, later = joined(turns, 1), joined(turns, 1, 1), joined(turns, 1, urgent=False)
    turn = begun(turns)
    turns.drop_all(HashingUnavailable)
    assert isinstance(urgent.error, HashingUnavailable)
    assert isinstance(later.error, HashingUnavailable)
    assert turns.load().waiting == 0
    turns.end(turn, 1, "done")
    assert (runs.results, runs.error) == (["done"], None)
