"""What a policy costs: decisions on a column beside revealing it, in this process and on SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import values
from bench.lines import Line
from bench.plan import Plan
from bench.rounds import interleave
from tests.vault.conftest import Shop, open_shop
from vault import fields
from vault.policy.document import read
from vault.policy.model import Rows, Situation
from vault.policy.policy import Policy

TARGET = 20.0  # a decision takes at most 5 % of a reveal's time
RULES = 50
REPEAT = 20  # calls in a round
PLAIN, ROWS = "decide, 50 rules", "decide, 50 rules on tags and age"
REVEAL = "reveal, in process"


def run(plan: Plan) -> list[Line]:
    """Measure decisions by rules that look at rows and by such that do not; the target is 20 times a reveal's rate."""
    with TemporaryDirectory() as folder:
        shop = open_shop(f"sqlite:///{Path(folder) / 'vault.db'}")
        try:
            return _measure(shop, plan)
        finally:
            shop.vault.close()


def _measure(shop: Shop, plan: Plan) -> list[Line]:
    tokens = shop.tokenize("bank_card", *values.cards(0, plan.size))
    now = time.time()
    rows = Rows(
        list(islice(cycle(fields.names()[:8]), plan.size)),
        list(islice(cycle([None, "vip", "eu vip"]), plan.size)),
        [round(now * 1e6) - at * 3_600_000_000 for at in range(plan.size)],
    )
    asked = Situation(frozenset({"clerk"}), "reveal", "settle", "masked", now, "10.1.2.3")
    measures = {
        REVEAL: partial(_rate, lambda: shop.vault.reveal(shop.actor, tokens, "settle"), plan.size),
        PLAIN: partial(_rate, partial(_policy('modes = ["live"]').decide, asked, rows), plan.size),
        ROWS: partial(
            _rate, partial(_policy('tags = ["vip"], max_age = "30d"').decide, asked, rows), plan.size
        ),
    }
    rates = interleave(measures, plan.rounds)
    return [
        Line("policy", "sqlite", what, rates[what], "items", REVEAL, rates[REVEAL], TARGET)
        for what in (PLAIN, ROWS)
    ]


def _policy(when: str) -> Policy:
    """Return a policy of so many rules of one role, half of which speak of what is asked."""
    known = fields.names()
    rules = "".join(
        f'[[roles.clerk.{"allow" if at % 5 else "deny"}]]\noperations = ["reveal"]\n'
        f'fields = ["{known[at % len(known)]}", "{known[(at + at // len(known) + 1) % len(known)]}"]\n'
        f'purposes = ["{"settle" if at % 2 else "risk"}"]\nwhen = {{ {when} }}\n'
        for at in range(RULES)
    )
    return read(f"format = 1\n[roles.clerk]\n{rules}")


def _rate(call: Callable[[], object], size: int) -> float:
    start = time.perf_counter()
    for _ in range(REPEAT):
        call()
    return REPEAT * size / (time.perf_counter() - start)
