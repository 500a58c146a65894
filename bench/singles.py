"""Single requests at many connections, beside a bare Flask route that does one durable insert."""

from __future__ import annotations

from functools import partial

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave
from tests.service import Service

TARGET = 0.50
PEER = "Flask route, one insert"
DIFFERENT = 2_000  # requests that are not alike


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Measure one tokenize and one reveal a request."""
    key, cards = service.keys["live"], values.cards(10**8, DIFFERENT)
    tokens = tokenize(service, cards)
    asks = {
        "tokenize one": [
            load.post("/v1/tokens", {"field": "bank_card", "value": card}, key) for card in cards
        ],
        "reveal one": [
            load.post("/v1/reveal", {"tokens": [one], "purpose": "service"}, key) for one in tokens
        ],
    }
    latest: dict[str, load.Load] = {}

    def rate(name: str, port: int, requests: list[bytes]) -> float:
        latest[name] = load.lasting(port, requests, plan.connections, plan.seconds)
        return latest[name].rate

    with place.bare() as port:
        bare = [load.post("/insert", {"value": card}) for card in cards]
        measures = {PEER: partial(rate, PEER, port, bare)}
        for name, requests in asks.items():
            measures[name] = partial(rate, name, service.port, requests)
        rates = interleave(measures, plan.rounds)
    return [
        Line(
            "singles", place.store, f"{name}, {plan.connections} connections", rates[name], "requests",
            PEER, rates[PEER], TARGET,
            f"p99 {_p99(latest[name])} against {_p99(latest[PEER])}; {load.generator()}",
        )
        for name in asks
    ]  # fmt: skip


def tokenize(service: Service, column: list[str], **options: object) -> list[str]:
    """Return tokens of cards."""
    tokens: list[str] = []
    for part in values.parts(column, 1_000):
        status, reply = service.post("/v1/tokens/column", {"field": "bank_card", "values": part, **options})
        assert status == 200, status
        tokens += reply["tokens"]  # type: ignore[arg-type]
    return tokens


def _p99(seen: load.Load) -> str:
    return f"{seen.p99 * 1000:.1f} ms"
