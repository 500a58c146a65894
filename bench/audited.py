"""What the audit costs: the service as it is, its sealer at work, beside a variant that keeps no record."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave
from bench.singles import tokenize
from tests.scenarios.records import audit
from tests.service import Service

TARGET = 0.75
PEER = "without audit"
UNAUDITED = Path(__file__).with_name("unaudited")


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Measure columns tokenized and revealed, and single requests, with and without audit in turn."""
    path = os.pathsep.join(filter(None, [str(UNAUDITED), os.environ.get("PYTHONPATH")]))
    with place.service(PYTHONPATH=path) as without:
        sides = {"with": _Side(service, plan), PEER: _Side(without, plan)}
        rates: dict[str, dict[str, float]] = {}
        for what in ("tokenize_columns", "reveal_columns", "tokenize_one", "reveal_one"):
            measures = {name: getattr(side, what) for name, side in sides.items()}
            rates[what] = interleave(measures, plan.rounds)
        require_no_records(without)
    return [
        Line(
            "audited", place.store, what.replace("_", " "), found["with"],
            "requests" if what.endswith("one") else "values", PEER, found[PEER], TARGET,
        )
        for what, found in rates.items()
    ]  # fmt: skip


def require_no_records(service: Service) -> None:
    """End the bench if the variant without audit keeps records after all: the ratio would say nothing."""
    if any(record.operation != "bootstrap" for record in audit(service.database_url)):
        raise SystemExit("the variant without audit wrote audit records")


class _Side:
    """Sends the same to one service."""

    def __init__(self, service: Service, plan: Plan) -> None:
        self._service, self._plan, self._numbers = service, plan, count()
        self._key = service.keys["live"]
        held = tokenize(service, values.cards(10**9, plan.size))
        self._reveals = [self._reveal(held)] * plan.revealed
        self._ones = [self._reveal([token]) for token in held]
        cards = values.cards(2 * 10**9, plan.size)
        self._singles = [
            load.post("/v1/tokens", {"field": "bank_card", "value": card}, self._key) for card in cards
        ]

    def tokenize_columns(self) -> float:
        """Return values a second."""
        size = self._plan.size
        bodies = [
            {"field": "bank_card", "values": values.cards(next(self._numbers) * size, size)}
            for _ in range(self._plan.columns)
        ]
        return self._once([load.post("/v1/tokens/column", body, self._key) for body in bodies])

    def reveal_columns(self) -> float:
        """Return values a second."""
        return self._once(self._reveals)

    def tokenize_one(self) -> float:
        """Return requests a second."""
        return self._lasting(self._singles)

    def reveal_one(self) -> float:
        """Return requests a second."""
        return self._lasting(self._ones)

    def _reveal(self, tokens: list[str]) -> bytes:
        return load.post("/v1/reveal", {"tokens": tokens, "purpose": "service"}, self._key)

    def _once(self, requests: list[bytes]) -> float:
        return load.once(self._service.port, requests, self._plan.busy).rate * self._plan.size

    def _lasting(self, requests: list[bytes]) -> float:
        return load.lasting(self._service.port, requests, self._plan.connections, self._plan.seconds).rate
