"""A subject is erased again and again while others tokenize for it, reveal its tokens and list them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from tests.scenarios import records, stock
from tests.scenarios.caller import Caller, calling
from tests.scenarios.campaign import rounds
from tests.service import Service
from tests.waiting import until

SUBJECT, OTHER = "customer-17", "customer-18"
POOL = [stock.phone(Random(at)) for at in range(30)]


@dataclass
class Race:
    """What was asked when, and what came of it; times in monotonic seconds."""

    service: Service
    ending: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)
    tokens: dict[str, tuple[str, float, float]] = field(default_factory=dict)  # value, asked, last answered
    spared: dict[str, str] = field(default_factory=dict)  # another subject's, or nobody's
    erasures: list[tuple[float, float, int]] = field(default_factory=list)
    put_off: int = 0
    odd: list[Any] = field(default_factory=list)

    def keep(self, answer: Any, values: list[str], subjects: list[str | None], asked: float) -> None:
        """Enter the reply to a request for a column of tokens."""
        answered = time.monotonic()
        if answer.status == 503 and answer.body["code"] == "store_conflict":
            self.put_off += 1  # erased eight times while it was sealed: nothing was written, and it says so
            return
        if answer.status != 200 or answer.body["errors"]:
            self.odd.append((answer.status, answer.raw[:300]))
            return
        with self.lock:
            for token, value, subject in zip(answer.body["tokens"], values, subjects, strict=True):
                if subject == SUBJECT:
                    known = self.tokens.get(token, (value, asked, answered))
                    self.tokens[token] = value, max(asked, known[1]), max(answered, known[2])
                else:
                    self.spared[token] = value

    def tokenize(self, number: int) -> None:
        """Ask for columns: for the subject, for another and for nobody; fresh, shaped, deterministic."""
        draw, count = Random(number), 0
        with calling(self.service) as caller:
            while not self.ending.is_set():
                count += 1
                asked = time.monotonic()
                subjects = [draw.choice([SUBJECT, SUBJECT, OTHER, None]) for _ in range(draw.randint(1, 12))]
                body: dict[str, Any] = {"field": "phone", "subjects": subjects, "values": []}
                body["values"] = [stock.phone(draw) for _ in subjects]
                if draw.random() < 0.3:
                    values = draw.sample(POOL, 5)
                    body |= {"values": values, "subjects": [SUBJECT] * 5, "deterministic": True}
                self.keep(
                    caller.post("/v1/tokens/column", body), body["values"], body["subjects"], asked
                )  # fmt: skip

    def erase(self) -> None:
        with calling(self.service) as caller:
            while not self.ending.is_set():
                asked = time.monotonic()
                answer = caller.ask("DELETE", f"/v1/subjects/{SUBJECT}")
                if answer.status == 200:
                    self.erasures.append((asked, time.monotonic(), answer.body["tokens"]))
                elif answer.status != 404:
                    self.odd.append((answer.status, answer.raw))
                time.sleep(0.01)

    def look(self, number: int) -> None:
        """Reveal, describe and list while rows and keys go: a token opens, or it is unknown."""
        draw = Random(number)
        with calling(self.service) as caller:
            while not self.ending.is_set():
                with self.lock:
                    recent = list(self.tokens)[-200:]
                some = draw.sample(recent, min(50, len(recent)))
                ask = {"tokens": some, "purpose": "service", "view": "plain"}
                for answer in (
                    caller.post("/v1/reveal", ask),
                    caller.post("/v1/tokens/describe", {"tokens": some}),
                    caller.ask("GET", f"/v1/subjects/{SUBJECT}/tokens?limit=50"),
                ):
                    codes = {error["code"] for error in answer.body.get("errors", ())}
                    if answer.status not in {200, 404} or codes - {"unknown_token"}:
                        self.odd.append((answer.status, codes, answer.raw[:300]))

    def run(self, seconds: float) -> None:
        threads = [Thread(target=self.tokenize, args=(at,)) for at in range(8)]
        threads += [Thread(target=self.look, args=(at,)) for at in range(2)]
        threads += [Thread(target=self.erase)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        until(lambda: len(self.erasures) > 5)
        self.ending.set()
        for thread in threads:
            thread.join(90)
            assert not thread.is_alive()


def test_whatever_is_erased_is_gone_and_whatever_is_not_opens(service_on: Service) -> None:
    race = Race(service_on)
    race.run(rounds(4, 60))
    assert race.odd == []
    assert race.put_off * 100 <= len(race.tokens)
    assert records.deadlocks(service_on.database_url) == 0
    with calling(service_on) as caller:
        held = reveal(caller, list(race.tokens))
        for token, (value, asked, answered) in race.tokens.items():
            if held[token] is None:
                assert any(end > asked for _, end, _ in race.erasures), "gone without an erasure"
            else:
                assert held[token] == value
                assert not any(start > answered for start, _, _ in race.erasures), "opens after its erasure"
        others = reveal(caller, list(race.spared))
        assert others == race.spared
    check_the_books(service_on, race, sum(value is not None for value in held.values()))


def check_the_books(service: Service, race: Race, left: int) -> None:
    """The ledger, the replies, the rows and the audit agree on how many tokens are gone."""
    url = service.database_url
    assert records.damage(url) == {}
    erased = sum(count for _, _, count in race.erasures)
    assert erased + left == len(race.tokens)
    ((entries, counted),) = records.rows(url, "SELECT count(*), sum(tokens) FROM erasure")
    assert (entries, counted) == (len(race.erasures), erased)
    assert records.rows(url, "SELECT count(*) FROM tombstone")[0][0] == erased
    audited = [
        record for record in records.audit(url) if (record.operation, record.result) == ("erase", "ok")
    ]
    assert (len(audited), sum(record.count for record in audited)) == (entries, erased)
    keys = records.rows(url, 'SELECT count(*), count(DISTINCT "key") FROM erasure')
    assert keys[0][0] == keys[0][1], "two generations shared one person key"
    with calling(service) as caller:
        answer = caller.ask("DELETE", f"/v1/subjects/{SUBJECT}")
        assert answer.status in {200, 404}
        assert answer.status == 404 or answer.body["tokens"] == left
        assert caller.ask("GET", f"/v1/subjects/{SUBJECT}/tokens").status in {200, 404}
        assert set(reveal(caller, list(race.tokens)).values()) == {None}
        assert reveal(caller, list(race.spared)) == race.spared
    assert records.damage(url) == {}


def reveal(caller: Caller, tokens: list[str]) -> dict[str, str | None]:
    """Return the value of each token, None where it is unknown; nothing else may be wrong with any."""
    found: dict[str, str | None] = {}
    for at in range(0, len(tokens), 5_000):
        part = tokens[at : at + 5_000]
        answer = caller.post("/v1/reveal", {"tokens": part, "purpose": "service", "view": "plain"})
        assert answer.status == 200, answer.raw
        assert {error["code"] for error in answer.body["errors"]} <= {"unknown_token"}
        found.update(zip(part, answer.body["values"], strict=True))
    return found
