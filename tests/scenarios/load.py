"""Callers at work: threads that ask for tokens of every kind until they are told to stop or the service is gone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from threading import Event, Thread
from typing import Any

from tests.scenarios import stock
from tests.scenarios.caller import GONE, Caller
from tests.scenarios.ledger import Ledger, Once

SCOPES = ("pool", "crm")
POOL = [(name, make(Random(at))) for name, make in stock.KINDS.items() for at in range(40)]


@dataclass
class Load:
    """Threads that share a ledger; `failures` holds every reply that is none of the good ones."""

    port: int
    key: str
    ledger: Ledger
    seed: int
    threads: int = 6
    pause: float = 0.0  # seconds between two requests of a thread
    failures: list[bytes] = field(default_factory=list)
    ending: Event = field(default_factory=Event)
    recent: deque[Once] = field(default_factory=lambda: deque(maxlen=3))
    running: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        self.running = [Thread(target=self._work, args=(at,), daemon=True) for at in range(self.threads)]
        for thread in self.running:
            thread.start()

    @property
    def ended(self) -> bool:
        """Whether every caller has given up."""
        return not any(thread.is_alive() for thread in self.running)

    def stop(self) -> None:
        """Wait for the requests under way; those of a service that was killed end by themselves."""
        self.ending.set()
        for thread in self.running:
            thread.join(60)
            assert not thread.is_alive(), "a caller hangs"

    def _work(self, number: int) -> None:
        draw, caller, count = Random(self.seed * 1_000 + number), Caller(self.port, self.key), 0
        kinds = (self._single, self._column, self._fixed, self._shaped, self._subject, self._once, self._once)
        try:
            while not self.ending.is_set():
                count += 1
                draw.choice(kinds)(caller, draw, f"r{self.seed}-{number}-{count}")
                self.ending.wait(self.pause)
        except GONE:
            return
        finally:
            caller.close()

    def _single(self, caller: Caller, draw: Random, name: str) -> None:
        field, (value,) = stock.column(draw, 1)
        self._ask(caller, name, "/v1/tokens", {"field": field, "value": value})

    def _column(self, caller: Caller, draw: Random, name: str) -> None:
        field, values = stock.column(draw, draw.randint(1, 200))
        notes = [{"at": str(at)} if at % 3 else None for at in range(len(values))]
        self._ask(caller, name, "/v1/tokens/column", {"field": field, "values": values, "metadata": notes})

    def _fixed(self, caller: Caller, draw: Random, name: str) -> None:
        field = draw.choice(sorted(stock.KINDS))
        values = draw.sample([value for kind, value in POOL if kind == field], draw.randint(1, 20))
        body = {"field": field, "values": values, "deterministic": True, "scope": draw.choice(SCOPES)}
        self._ask(caller, name, "/v1/tokens/column", body)

    def _shaped(self, caller: Caller, draw: Random, name: str) -> None:
        values = [stock.bank_account(draw) for _ in range(draw.randint(1, 20))]
        body: dict[str, Any] = {
            "field": "bank_account",
            "values": values,
            "kind": "shaped",
            "lookalike": True,
        }
        if draw.random() < 0.5:
            fixed = draw.sample([value for kind, value in POOL if kind == "bank_account"], 10)
            body |= {"values": fixed, "deterministic": True, "scope": "shaped"}
        self._ask(caller, name, "/v1/tokens/column", body)

    def _subject(self, caller: Caller, draw: Random, name: str) -> None:
        field, values = stock.column(draw, draw.randint(1, 20))
        subjects = [f"customer-{draw.randrange(200)}" for _ in values]
        self._ask(caller, name, "/v1/tokens/column", {"field": field, "values": values, "subjects": subjects})

    def _once(self, caller: Caller, draw: Random, name: str) -> None:
        """Send a new request under a key, or one that another thread may be sending right now."""
        if self.recent and draw.random() < 0.5:
            one = draw.choice(list(self.recent))
        else:
            field, values = stock.column(draw, draw.randint(1, 20))
            one = Once(name, "/v1/tokens/column", {"field": field, "values": values, "source": name})
            self.ledger.once[name] = one
            self.recent.append(one)
        answer = caller.post(one.path, one.body, Idempotency_Key=one.key)
        if answer.status == 200:
            self.ledger.acknowledge_once(one, answer.body["tokens"])
        else:
            self.failures.append(answer.raw)

    def _ask(self, caller: Caller, name: str, path: str, body: dict[str, Any]) -> None:
        answer = caller.post(path, body, X_Request_Id=name)
        if answer.status in {200, 201} and not answer.body.get("errors"):
            self.ledger.acknowledge(name, body, answer.body.get("tokens") or [answer.body["token"]])
        else:
            self.failures.append(answer.raw)
