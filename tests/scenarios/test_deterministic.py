"""Deterministic tokens: one for each value, scope and kind, whoever asks and deletes at the same time."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from tests.scenarios import records, stock
from tests.scenarios.caller import calling
from tests.scenarios.campaign import rounds
from tests.service import Service
from tests.waiting import until

VALUES = [stock.bank_account(Random(at)) for at in range(20)]
KINDS: list[dict[str, Any]] = [
    {"kind": "opaque", "deterministic": True},
    {"kind": "shaped", "deterministic": True, "lookalike": True},
    {"kind": "one_way"},
]


def test_each_kind_has_its_own(service: Service) -> None:
    """Whoever asks for a token that opens must not get the one-way token that another made first."""
    with calling(service) as caller:
        one_way, shaped, opaque = (
            caller.token("bank_account", VALUES[0], **kind) for kind in reversed(KINDS)
        )
        assert len({one_way, shaped, opaque}) == 3
        assert caller.plain([opaque]) == caller.plain([shaped], field="bank_account") == VALUES[:1]
        ask = {"tokens": [one_way], "purpose": "service"}
        assert [error["code"] for error in caller.post("/v1/reveal", ask).body["errors"]] == [
            "not_revealable"
        ]
        for kind, token in zip(KINDS, (opaque, shaped, one_way), strict=True):
            assert caller.token("bank_account", VALUES[0], **kind) == token
        found = {"field": "bank_account", "values": VALUES[:1]}
        assert set(caller.good("/v1/find", found)["matches"][0]) == {one_way, shaped, opaque}
        caller.good("/v1/tokens/delete", {"tokens": [one_way]})
        assert set(caller.good("/v1/find", found)["matches"][0]) == {shaped, opaque}
        assert caller.token("bank_account", VALUES[0], **KINDS[0]) == opaque
    assert records.damage(service.database_url) == {}


def test_tokens_are_made_and_deleted_at_once(service_on: Service) -> None:
    ending, lock, odd = Event(), Lock(), list[Any]()
    asked: dict[str, float] = {}  # token: when it was last asked for, of those that were given
    deleted: dict[str, float] = {}  # token: when its deletion was done
    value_of: dict[str, str] = {}

    def make(number: int) -> None:
        draw = Random(number)
        with calling(service_on) as caller:
            while not ending.is_set():
                values, began = draw.sample(VALUES, 8), time.monotonic()
                body = {"field": "bank_account", "values": values, **draw.choice(KINDS)}
                answer = caller.post("/v1/tokens/column", body)
                if answer.status != 200 or answer.body["errors"]:
                    odd.append(answer.raw)
                    continue
                with lock:
                    for token, value in zip(answer.body["tokens"], values, strict=True):
                        asked[token] = max(began, asked.get(token, began))
                        value_of[token] = value

    def delete(number: int) -> None:
        draw = Random(number)
        with calling(service_on) as caller:
            while not ending.is_set():
                with lock:
                    some = [draw.choice(list(asked)[-60:]) for _ in range(3) if asked]
                body = {"tokens": some, "field": "bank_account"}
                answer = caller.post("/v1/tokens/delete", body)
                if answer.status != 200 or any(e["code"] != "unknown_token" for e in answer.body["errors"]):
                    odd.append(answer.raw)
                    continue
                refused = {error["index"] for error in answer.body["errors"]}
                with lock:
                    for at, token in enumerate(some):
                        if at not in refused:
                            deleted[token] = time.monotonic()

    threads = [Thread(target=make, args=(at,)) for at in range(6)]
    threads += [Thread(target=delete, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(rounds(4, 60))
    until(lambda: len(deleted) > 20)
    ending.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert odd == []
    assert records.deadlocks(service_on.database_url) == 0
    assert records.damage(service_on.database_url) == {}
    assert records.rows(service_on.database_url, "SELECT count(*) FROM tombstone")[0][0] == len(deleted)
    alive = set(asked) - set(deleted)
    assert records.rows(service_on.database_url, "SELECT count(*) FROM token")[0][0] == len(alive)
    assert not [token for token in deleted if asked[token] > deleted[token]], "given after its deletion"
    with calling(service_on) as caller:
        told = caller.post("/v1/tokens/describe", {"tokens": sorted(alive), "field": "bank_account"}).body
        assert told["errors"] == []
        each = Counter((value_of[one["token"]], one["kind"]) for one in told["tokens"])
        assert set(each.values()) <= {1}
