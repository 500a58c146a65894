"""Columns of fresh tokens over HTTP, durable and audited, beside a bare bulk insert of the same rows."""

from __future__ import annotations

from itertools import count
from random import Random

from bench import load, values
from bench.lines import Line
from bench.places import WORKERS, Place
from bench.plan import Plan
from bench.rounds import interleave
from tests.service import Service

TARGET, TARGET_PEOPLE = 0.40, 0.20
PEER = "bare bulk insert"


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Measure columns without subjects, with subjects never seen before, and with known ones."""
    with place.bulk() as bulk:
        rates = interleave(
            {
                PEER: lambda: bulk.rate(plan.columns, plan.size),
                "no subjects": _Columns(service, plan, None).rate,
                "a new subject a value": _Columns(service, plan, "new").rate,
                "a known subject a value": _Columns(service, plan, "known").rate,
            },
            plan.rounds,
        )
    peer = rates.pop(PEER)
    note = f"{WORKERS} workers against one process with one connection"
    targets = (TARGET, TARGET_PEOPLE, TARGET_PEOPLE)
    return [
        Line(
            "columns",
            place.store,
            f"tokenize {plan.size:,}, {name}",
            rate,
            "values",
            PEER,
            peer,
            target,
            note,
        )
        for (name, rate), target in zip(rates.items(), targets, strict=True)
    ]


class _Columns:
    """Sends columns of cards that were never sent before."""

    _numbers = count()

    def __init__(self, service: Service, plan: Plan, people: str | None) -> None:
        self._service, self._plan, self._people = service, plan, people
        self._known = [f"known-{number}" for number in range(plan.columns * plan.size)]
        self._rng = Random(values.SEED)

    def rate(self) -> float:
        """Return values a second of a round."""
        plan, key = self._plan, self._service.keys["live"]
        requests = [load.post("/v1/tokens/column", self._body(), key) for _ in range(plan.columns)]
        return load.once(self._service.port, requests, plan.busy).rate * plan.size

    def _body(self) -> dict[str, object]:
        size = self._plan.size
        number = next(self._numbers)
        body: dict[str, object] = {"field": "bank_card", "values": values.cards(number * size, size)}
        if self._people == "new":
            body["subjects"] = [f"customer-{number}-{at}" for at in range(size)]
        elif self._people == "known":
            body["subjects"] = self._rng.sample(self._known, size)
        return body
