"""Deterministic tokens as their table grows: the rate of new and of repeated values."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from tests.service import Service

FILL = 5_000  # values a column between the points


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Fill a table that is empty at first; measure at each of the plan's points."""
    rng, rows, lines = Random(values.SEED), 0, []
    for point in plan.curve:
        probe = plan.probe * plan.size
        _send(service, plan, values.cards(rows, point - probe - rows), FILL)
        new = _send(service, plan, values.cards(point - probe, probe), plan.size)
        seen = [values.card(number) for number in rng.sample(range(point), probe)]
        repeated = _send(service, plan, seen, plan.size)
        rows = point
        lines += [
            Line("curve", place.store, f"deterministic, {name} values at {point:,} rows", rate, "values")
            for name, rate in (("new", new), ("repeated", repeated))
        ]
    return lines


def _send(service: Service, plan: Plan, cards: Sequence[str], size: int) -> float:
    """Tokenize the cards in columns of `size`; return values a second."""
    if not cards:
        return 0.0
    same, key = {"field": "bank_card", "deterministic": True}, service.keys["live"]
    requests = [
        load.post("/v1/tokens/column", {**same, "values": part}, key) for part in values.parts(cards, size)
    ]
    return load.once(service.port, requests, plan.busy).rate * len(cards) / len(requests)
