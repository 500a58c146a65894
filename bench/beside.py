"""Columns tokenized while backups are made, beside the same when none is, and where none ever is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave
from tests.scenarios.custodian import Custodian, custody
from tests.service import NO_HASHER, Service

TARGET = 0.80
POLL = 0.02  # seconds between two looks at a job
TIMES = 5  # as many columns as elsewhere: what was stored is shipped every few seconds
_numbers = count()  # of columns: no card comes twice


def run(place: Place, service: Service, plan: Plan) -> Iterator[Line]:
    """Measure a service with a full backup under way, with its journal alone, and another without any backups."""
    with ExitStack() as stack:
        backing = Backing(stack.enter_context(custody(service)))
        measures = {
            "idle": lambda: columns(service, plan),
            "full": lambda: backing.beside(lambda: columns(service, plan)),
        }
        if plan.rounds > 1:
            alone = stack.enter_context(place.service(**NO_HASHER))
            measures["alone"] = lambda: columns(alone, plan)
        rates = interleave(measures, plan.rounds)
    what = f"tokenize {plan.size:,}"
    yield Line(
        "backups", place.store, f"{what}, a full backup under way", rates["full"], "values", "none under way",
        rates["idle"], TARGET, f"{plan.backed:,} rows; {backing.share:.0%} of the time",
    )  # fmt: skip
    yield Line(
        "backups", place.store, f"{what}, its journal shipped", rates["idle"], "values", "no backups",
        rates.get("alone"),
    )  # fmt: skip


def columns(service: Service, plan: Plan) -> float:
    """Return values a second of columns of cards that were never sent before."""
    size, key = plan.size, service.keys["live"]
    bodies = (
        {"field": "bank_card", "values": values.cards(next(_numbers) * size, size)}
        for _ in range(TIMES * plan.columns)
    )
    asks = [load.post("/v1/tokens/column", body, key) for body in bodies]
    return load.once(service.port, asks, plan.busy).rate * size


class Backing:
    """Has a service make one full backup after the other while something is measured."""

    def __init__(self, custodian: Custodian) -> None:
        self._custodian, self._took, self._under_way = custodian, 0.0, 0.0

    @property
    def share(self) -> float:
        """Of the time measured, when a backup was under way: not from the end of one to the begin of the next."""
        return self._under_way / self._took

    def beside(self, measure: Callable[[], float]) -> float:
        """Return what is measured while backups are made, and wait until the last of them is."""
        running: list[float] = []  # when each began, ended, began, ...
        stop, begun = threading.Event(), threading.Event()
        maker = threading.Thread(target=self._make, args=(stop, begun, running))
        maker.start()
        begun.wait()
        since = time.perf_counter()
        rate = measure()
        until = time.perf_counter()
        stop.set()
        maker.join()
        spans = zip(running[::2], running[1::2], strict=True)
        self._took += until - since
        self._under_way += sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in spans)
        return rate

    def _make(self, stop: threading.Event, begun: threading.Event, running: list[float]) -> None:
        vault, actor = self._custodian.vault, self._custodian.actor
        while not stop.is_set():
            job = vault.backups.create(actor, "full")
            for there in (lambda one: one.done, lambda one: one.finished_at is not None):
                while not there(job):
                    time.sleep(POLL)
                    job = self._custodian.job(job.id)
                running.append(time.perf_counter())
                begun.set()
            self._custodian.ended(job.id)
