"""Threads that work: side by side, in order, in kept memory; nothing late begins, and nobody waits for ever."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest

from tests.waiting import LONG, until
from vault.errors import HashingBusy, HashingUnavailable
from vault.passwords import workers
from vault.passwords.arena import Arena
from vault.passwords.work import Work
from vault.passwords.workers import Workers

CEILING, MOST = 1_000, 50


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Two threads that work, and others that ask them to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.workers = Workers(CEILING, LONG, 2, MOST, self.clock)
        self.askers = ThreadPoolExecutor(8)

    def ask(self, *works: Work, urgent: bool = True, seconds: float | None = None) -> Future[list[Any]]:
        return self.askers.submit(self.workers.do, works, urgent=urgent, seconds=seconds)

    def occupied(self) -> tuple[Event, Future[list[Any]]]:
        """Keep both threads at work; return what lets them go."""
        go = Event()
        asked = self.ask(*[work(lambda _: go.wait(LONG))] * 2)
        until(lambda: self.workers.load().running == 2)
        return go, asked


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.workers.close()
    made.askers.shutdown()


def work(call: Callable[[Arena | None], Any], memory: int = 0, mapped: bool = False) -> Work:
    return Work(memory, "work", 1, call, mapped)


def test_a_column_is_worked_on_side_by_side_and_its_results_are_in_order(desk: Desk) -> None:
    both = Barrier(2)  # nobody passes it alone

    def pass_it(number: int) -> int:
        both.wait(LONG)
        return number

    assert desk.workers.do([work(lambda _, n=n: pass_it(n)) for n in range(6)], urgent=True) == list(range(6))
    assert desk.workers.do([], urgent=True) == []


def test_the_caller_gets_the_error_of_a_work(desk: Desk) -> None:
    def fail(_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        desk.workers.do([work(fail), work(lambda _: 1)], urgent=True)
    assert desk.workers.do([work(lambda _: 1)], urgent=True) == [1]


class Panic(BaseException):
    """What a library in Rust ends with: no Exception."""


def test_a_thread_outlives_whatever_a_work_does(desk: Desk) -> None:
    def panic(_: object) -> None:
        raise Panic

    for _ in range(3):
        with pytest.raises(HashingUnavailable):
            desk.ask(work(panic)).result(LONG)
    assert desk.workers.do([work(lambda _: 1)], urgent=True) == [1]


def test_what_waits_behind_a_work_that_came_too_late_begins_at_once() -> None:
    go, threads = Event(), Workers(CEILING, LONG, 2, MOST, time.monotonic)

    def do(memory: int, call: Callable[[Arena | None], Any], seconds: float) -> Future[list[Any]]:
        return askers.submit(threads.do, [work(call, memory)], urgent=True, seconds=seconds)

    with ThreadPoolExecutor(3) as askers:
        do(1, lambda _: go.wait(), LONG)
        until(lambda: threads.load().running == 1)
        large = do(CEILING, lambda _: None, 0.5)
        until(lambda: threads.load().waiting == 1)
        behind = do(1, lambda _: go.is_set(), LONG)
        until(lambda: threads.load().waiting == 2)
        try:
            with pytest.raises(HashingBusy):
                large.result(LONG)
            assert behind.result(LONG) == [False]
        finally:
            go.set()
    threads.close()


def test_urgent_works_overtake_those_that_wait_and_are_not(desk: Desk) -> None:
    order: list[str] = []
    go, _ = desk.occupied()
    asked = []
    for name, urgent in (("later", False), ("urgent", True), ("last", False)):
        asked.append(desk.ask(work(lambda _, n=name: order.append(n), CEILING), urgent=urgent))
        until(lambda: desk.workers.load().waiting == len(asked))
    go.set()
    assert [one.result(LONG) for one in asked] == [[None]] * 3
    assert order == ["urgent", "later", "last"]


def test_a_work_that_needs_all_memory_waits_until_the_others_are_done(desk: Desk) -> None:
    go, asked = Event(), []
    small = desk.ask(work(lambda _: go.wait(LONG), 1))
    until(lambda: desk.workers.load().running == 1)
    for memory in (CEILING, 1, 1):
        asked.append(desk.ask(work(lambda _: desk.workers.load().memory, memory)))
        until(lambda: desk.workers.load().waiting == len(asked))
    assert desk.workers.load().running == 1
    go.set()
    assert small.result(LONG) == [True]
    assert asked[0].result(LONG) == [CEILING]
    assert all(one.result(LONG)[0] in (1, 2) for one in asked[1:])


def test_a_work_that_comes_too_late_is_never_begun(desk: Desk) -> None:
    begun: list[int] = []
    go, _ = desk.occupied()
    late = desk.ask(*[work(lambda _: begun.append(1))] * 3, seconds=5)
    until(lambda: desk.workers.load().waiting == 3)
    good = desk.ask(work(lambda _: "good"))
    until(lambda: desk.workers.load().waiting == 4)
    desk.clock.now = 5.5
    go.set()
    assert good.result(LONG) == ["good"]
    with pytest.raises(HashingBusy):
        late.result(LONG)
    assert begun == []


def test_whoever_waits_is_refused_when_the_wait_is_over_though_no_thread_is_free() -> None:
    go, begun = Event(), Event()
    threads = Workers(CEILING, 0.05, 1, MOST, time.monotonic)
    with ThreadPoolExecutor(1) as asker:
        asked = asker.submit(threads.do, [work(lambda _: (begun.set(), go.wait(LONG)))], urgent=True)
        begun.wait(LONG)
        with pytest.raises(HashingBusy):
            threads.do([work(lambda _: None)], urgent=True)
        assert (threads.load().running, threads.load().waiting) == (1, 0)
        go.set()
        asked.result(LONG)
    threads.close()


def test_closing_tells_those_who_wait_and_lets_the_others_end(desk: Desk) -> None:
    go, runs = desk.occupied()
    waits = desk.ask(work(lambda _: None))
    until(lambda: desk.workers.load().waiting == 1)
    closing = desk.askers.submit(desk.workers.close)
    with pytest.raises(HashingUnavailable):
        waits.result(LONG)
    go.set()
    assert runs.result(LONG) == [True, True]
    closing.result(LONG)
    with pytest.raises(HashingUnavailable):
        desk.workers.do([work(lambda _: None)], urgent=True)
    desk.workers.close()


def test_a_work_gets_the_memory_that_the_one_before_has_left(desk: Desk) -> None:
    def use(arena: Arena | None) -> tuple[int, int]:
        assert arena is not None
        before = arena.kept
        arena.fit(100)
        return id(arena), before

    first, second = (desk.workers.do([work(use, 100, mapped=True)], urgent=True)[0] for _ in range(2))
    assert (first[1], second) == (0, (first[0], 100))
    assert desk.workers.do([work(lambda arena: arena)], urgent=True) == [None]


def test_kept_memory_makes_room_for_works_that_need_it_otherwise(desk: Desk) -> None:
    desk.workers.do([work(lambda arena: arena.fit(600), 600, mapped=True)], urgent=True)  # type: ignore[union-attr]
    assert desk.workers.kept() == 600
    assert desk.workers.do([work(lambda _: desk.workers.kept(), 400)], urgent=True) == [600]
    assert desk.workers.do([work(lambda _: desk.workers.kept(), 401)], urgent=True) == [0]


def test_memory_that_nobody_used_for_a_while_is_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.01)
    desk.workers.do([work(lambda arena: arena.fit(100), 100, mapped=True)], urgent=True)  # type: ignore[union-attr]
    assert desk.workers.kept() == 100  # the clock stands still
    desk.clock.now = 1
    until(lambda: desk.workers.kept() == 0)


class Password(bytes):
    """Can be seen to be gone."""


def test_no_password_outlives_its_work(desk: Desk) -> None:
    def hold() -> tuple[Work, weakref.ref[Callable[[Arena | None], Any]]]:
        password = Password(b"pass")

        def call(_: Arena | None) -> int:
            return len(password)

        return work(call), weakref.ref(call)

    made, gone = hold()
    assert desk.workers.do([made], urgent=True) == [4]
    del made
    gc.collect()
    until(lambda: gone() is None)
