"""Columns of tokens revealed over HTTP: values a second of the service's processor time, and by the clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from statistics import median

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.processes import group_seconds
from bench.rounds import interleave
from bench.singles import tokenize
from tests.service import Service

AIM = 150_000  # values a second a core
DIFFERENT = 20  # columns
VIEWS = ("plain", "masked")


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Measure the plain and the masked view: what one core does at a time, and what the machine does."""
    tokens = tokenize(service, values.cards(2 * 10**8, DIFFERENT * plan.size))
    clock = Clock(service, plan, values.parts(tokens, plan.size))
    loads = [(view, connections) for connections in (1, plan.busy) for view in VIEWS]
    interleave({f"{load}": partial(clock.rate, *load) for load in loads}, plan.rounds)
    return [_line(clock, place.store, plan, *load) for load in loads]


class Clock:
    """Measures by two clocks at once: the processor's and the one on the wall; both in values a second."""

    def __init__(self, service: Service, plan: Plan, columns: Sequence[Sequence[str]]) -> None:
        self._service, self._plan, self._columns = service, plan, columns
        self.processor: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        self.wall: defaultdict[tuple[str, int], list[float]] = defaultdict(list)

    def rate(self, view: str, connections: int) -> float:
        """Return values a second of the service's processor time, its background worker's included."""
        service, plan, ask = self._service, self._plan, {"purpose": "service", "view": view}
        key = service.keys["live"]
        requests = [load.post("/v1/reveal", {"tokens": one, **ask}, key) for one in self._columns]
        sent = [requests[at % len(requests)] for at in range(plan.revealed)]
        assert service.process is not None
        before = group_seconds(service.process.pid)
        seen = load.once(service.port, sent, connections)
        spent = group_seconds(service.process.pid) - before
        self.wall[view, connections].append(seen.rate * plan.size)
        self.processor[view, connections].append(len(sent) * plan.size / spent)
        return seen.rate


def _line(clock: Clock, store: str, plan: Plan, view: str, connections: int) -> Line:
    """Return a core's rate beside the aim for one connection, the machine's rate for several."""
    core, machine = (
        median(rates[view, connections][-plan.rounds :]) for rates in (clock.processor, clock.wall)
    )  # a round before them is not counted
    what = f"reveal {plan.size:,}, {view}"
    if connections == 1:
        note = f"one connection; {machine:,.0f} values/s by the clock"
        return Line("reveals", store, f"{what}, a core", core, "values", "the aim", AIM, 1.0, note)
    note = f"{connections} connections, the load generator on the same cores; {core:,.0f} a core"
    return Line("reveals", store, f"{what}, by the clock", machine, "values", note=note)
