"""Sixteen connections, two workers, everything at once: every request is answered, none with an error of ours."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from random import Random
from threading import Barrier, Lock, Thread
from typing import Any

import pytest

from api.metrics import Metrics
from tests.scenarios import records, stock
from tests.scenarios.caller import Answer, Caller
from tests.scenarios.campaign import rounds
from tests.service import Service
from vault.store.database import Database

CONNECTIONS = 16
POOL = [stock.phone(Random(at)) for at in range(500)]
Step = Callable[[Caller, Random, list[str]], Answer]


def one(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.post("/v1/tokens", {"field": "phone", "value": stock.phone(draw)})


def once(caller: Caller, draw: Random, held: list[str]) -> Answer:
    """One of a few requests that all callers send, each under its key."""
    body = {"field": "phone", "values": POOL[:3]}
    return caller.post("/v1/tokens/column", body, Idempotency_Key=f"once-{draw.randrange(20)}")


def column(caller: Caller, draw: Random, held: list[str]) -> Answer:
    field, values = stock.column(draw, draw.randint(1, 100))
    return caller.post("/v1/tokens/column", {"field": field, "values": values})


def fixed(caller: Caller, draw: Random, held: list[str]) -> Answer:
    body = {"field": "phone", "values": draw.sample(POOL, 20), "deterministic": True}
    return caller.post("/v1/tokens/column", body)


def subjects(caller: Caller, draw: Random, held: list[str]) -> Answer:
    named = [f"customer-{draw.randrange(300)}" for _ in range(10)]
    body = {"field": "email", "values": [stock.email(draw) for _ in named], "subjects": named}
    return caller.post("/v1/tokens/column", body)


def shaped(caller: Caller, draw: Random, held: list[str]) -> Answer:
    values = [stock.bank_account(draw) for _ in range(5)]
    body = {"field": "bank_account", "values": values, "kind": "shaped", "lookalike": True}
    return caller.post("/v1/tokens/column", body)


def items(caller: Caller, draw: Random, held: list[str]) -> Answer:
    mixed = [
        {"field": name, "value": make(draw), "subject": f"customer-{draw.randrange(300)}"}
        for name, make in stock.KINDS.items()
    ]
    return caller.post("/v1/tokens/items", {"items": mixed})


def reveal(caller: Caller, draw: Random, held: list[str]) -> Answer:
    some = draw.sample(held, min(50, len(held)))
    return caller.post(
        "/v1/reveal", {"tokens": some, "purpose": "service", "view": "plain", "metadata": True}
    )


def describe(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.post("/v1/tokens/describe", {"tokens": draw.sample(held, min(20, len(held)))})


def delete(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.post("/v1/tokens/delete", {"tokens": [held.pop() for _ in range(min(3, len(held)))]})


def find(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.post("/v1/find", {"field": "phone", "values": draw.sample(POOL, 2)})


def page(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.ask("GET", "/v1/tokens?limit=20&field=email")


def erase(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.ask("DELETE", f"/v1/subjects/customer-{draw.randrange(300)}")


def probe(caller: Caller, draw: Random, held: list[str]) -> Answer:
    return caller.ask("GET", draw.choice(["/readyz", "/livez", "/metrics", "/v1/fields", "/v1/apikeys"]))


STEPS: list[Step] = [
    *[one] * 8, *[reveal] * 6, *[column] * 3, *[fixed] * 3, *[once] * 2,
    subjects, subjects, shaped, items, describe, delete, find, page, erase, probe,
]  # fmt: skip


def test_everything_at_once(service_on: Service) -> None:
    statuses, odd, lock = Counter[tuple[str, int]](), list[Any](), Lock()
    start = Barrier(CONNECTIONS)

    def work(number: int) -> None:
        draw, held, seen = Random(number), list[str](), Counter[tuple[str, int]]()
        caller = Caller(service_on.port, service_on.keys["live"])
        start.wait()
        for _ in range(rounds(250, 3_000)):
            step = draw.choice(STEPS)
            answer = step(caller, draw, held)
            seen[step.__name__, answer.status] += 1
            if answer.status >= 400 and (step.__name__, answer.status) != ("erase", 404):
                odd.append((step.__name__, answer.raw[:300]))
            elif step is column or step is one:
                held += answer.body.get("tokens") or [answer.body["token"]]
        caller.close()
        with lock:
            statuses.update(seen)

    threads = [Thread(target=work, args=(at,)) for at in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
        assert not thread.is_alive(), "a caller hangs"
    assert odd == []
    assert sum(statuses.values()) == CONNECTIONS * rounds(250, 3_000)
    assert len({name for name, _ in statuses}) == len(set(STEPS))
    assert records.damage(service_on.database_url) == {}
    assert records.deadlocks(service_on.database_url) == 0
    assert '"failure"' not in service_on.log.read_text()


def test_a_thread_that_ends_gives_its_connection_back(database_url: str) -> None:
    """A server ends threads that are idle and starts new ones, for weeks; the database has few connections."""
    database = Database(database_url, time.time, time.monotonic)

    def read() -> None:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1").close()

    for _ in range(50):
        thread = Thread(target=read)
        thread.start()
        thread.join()
    held: int = database.engine.pool.checkedout()  # type: ignore[attr-defined]
    database.close()
    assert held == 0


def test_two_first_requests_at_once_are_both_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """One finds the counter that the other has just made, and then the rest must be there, too."""
    metrics, failed = Metrics(), list[Exception]()
    for part in (metrics._requests, metrics._seconds):
        make = part.labels
        monkeypatch.setattr(part, "labels", lambda *labels, make=make: time.sleep(0.02) or make(*labels))

    def count(number: int) -> None:
        time.sleep(number * 0.005)
        try:
            metrics.request("/v1/tokens", "POST", 201, 0.1)
        except KeyError as error:
            failed.append(error)

    threads = [Thread(target=count, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert b'status="201"} 12.0' in metrics.text()
