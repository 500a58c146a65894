"""Time to live: over means over, on every way in; the rows go; deterministic tokens are made anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import pytest

from tests.scenarios import records, stock
from tests.scenarios.caller import Caller, calling
from tests.scenarios.campaign import rounds
from tests.service import NO_HASHER, Service, running
from tests.waiting import until

VALUES = [stock.phone(stock.Random(at)) for at in range(20)]
TTL = 1  # second, the shortest


@pytest.fixture
def quick(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service that shreds every second, on SQLite and on PostgreSQL in turn."""
    with running(tmp_path, database_url, STRONGROOM_MAINTENANCE_SECONDS="1", **NO_HASHER) as service:
        yield service


def test_an_expired_token_is_refused_everywhere(quick: Service) -> None:
    kinds: list[dict[str, Any]] = [
        {}, {"deterministic": True}, {"subject": "s"}, {"kind": "one_way"},
        {"kind": "shaped"}, {"kind": "shaped", "deterministic": True, "scope": "shaped"},
    ]  # fmt: skip
    with calling(quick) as caller:
        made = [(kind, caller.token("phone", VALUES[0], ttl_seconds=TTL, **kind)) for kind in kinds]
        kept = caller.token("phone", VALUES[0], scope="kept")
        assert len(caller.good("/v1/find", {"field": "phone", "values": VALUES[:1]})["matches"][0]) >= 5
        time.sleep(TTL + 0.1)
        for kind, token in made:
            refused(caller, token, {"field": "phone"} if kind.get("kind") == "shaped" else {})
        assert caller.good("/v1/find", {"field": "phone", "values": VALUES[:1]})["matches"] == [[]]
        until(lambda: records.rows(quick.database_url, "SELECT count(*) FROM token")[0][0] == 1)
        assert caller.plain([kept]) == VALUES[:1]
        for kind, token in made:
            anew = caller.token("phone", VALUES[0], ttl_seconds=100, **kind)
            assert anew != token
    assert records.damage(quick.database_url) == {}


def refused(caller: Caller, token: str, about: dict[str, Any]) -> None:
    """Check that nothing is said of a token, whether its row is there still or not."""
    over = {"expired_token", "unknown_token"}
    for path, ask in (
        ("/v1/reveal", {"tokens": [token], "purpose": "service", "view": "plain", "metadata": True}),
        ("/v1/reveal", {"tokens": [token], "purpose": "service"}),
        ("/v1/tokens/describe", {"tokens": [token]}),
    ):
        body = caller.post(path, {**ask, **about}).body
        assert [error["code"] in over for error in body["errors"]] == [True]
        assert (body.get("values") or body.get("tokens")) == [None]
    if not about:
        assert caller.ask("GET", f"/v1/tokens/{token}").status in {404, 410}


def test_tokens_are_renewed_while_they_expire(quick: Service) -> None:
    """Many ask for the same deterministic tokens, whose time is over every second."""
    ending, lock, odd = Event(), Lock(), list[Any]()
    first: dict[str, float] = {}  # token to the moment by which it existed

    def ask() -> None:
        with calling(quick) as caller:
            while not ending.is_set():
                body = {"field": "phone", "values": VALUES, "deterministic": True, "ttl_seconds": TTL}
                answer = caller.post("/v1/tokens/column", body)
                if answer.status != 200 or answer.body["errors"]:
                    odd.append(answer.raw)
                    continue
                with lock:
                    for token in answer.body["tokens"]:
                        first.setdefault(token, time.time())

    def look() -> None:
        with calling(quick) as caller:
            while not ending.is_set():
                with lock:
                    known = dict(list(first.items())[-100:])
                began = time.time()
                ask = {"tokens": list(known), "purpose": "service", "view": "plain"}
                answer = caller.post("/v1/reveal", ask)
                codes = {error["code"] for error in answer.body.get("errors", ())}
                if answer.status != 200 or codes - {"expired_token", "unknown_token"}:
                    odd.append(answer.raw)
                    continue
                late = [
                    token for token, value in zip(known, answer.body["values"], strict=True)
                    if value is not None and began > known[token] + TTL
                ]  # fmt: skip
                odd.extend(late)

    threads = [Thread(target=ask) for _ in range(6)] + [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(rounds(4, 60))
    until(lambda: len(first) >= 3 * len(VALUES))
    ending.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert odd == []
    until(lambda: records.rows(quick.database_url, "SELECT count(*) FROM token")[0][0] == 0)
    assert records.rows(quick.database_url, "SELECT count(*) FROM tombstone")[0][0] == len(first)
    assert records.rows(quick.database_url, "SELECT count(*) FROM index_entry")[0][0] == 0
    assert records.damage(quick.database_url) == {}
