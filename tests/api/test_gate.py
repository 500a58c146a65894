"""The gate: requests with passwords wait on threads of their own; those that are too many are refused like all else."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from api import gate
from api.gate import FULL, Environ, Gate, Turns, has_passwords
from tests.api.door import Door, problem
from tests.waiting import until

VERIFY, TOKENS = "/v1/passwords/verify", "/v1/tokens"


class Fault(Exception):
    """What an application may fail with."""


class Held:
    """An application whose requests stay inside until they are let go."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.refused = 0
        self.going = threading.Event()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if FULL in environ:
            self.refused += 1
            return [b"refused"]
        self.inside.append(environ["PATH_INFO"])
        self.going.wait()
        self.inside.remove(environ["PATH_INFO"])
        return [b"done"]


@contextmanager
def coming(app: Gate, held: Held, *paths: str) -> Iterator[list[bytes]]:
    """Send requests, each in a thread; let all go in the end."""
    answers: list[bytes] = []

    def send(path: str) -> None:
        answers.append(b"".join(app({"PATH_INFO": path}, None)))

    threads = [threading.Thread(target=send, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        held.going.set()
        for thread in threads:
            thread.join()


def test_passwords_that_wait_leave_the_others_their_threads() -> None:
    held = Held()
    app = Gate(held, threads=2, waiting=3)
    with coming(app, held, *[VERIFY] * 3):
        until(lambda: len(held.inside) == 3)
        with coming(app, held, *[VERIFY] * 10, TOKENS, TOKENS) as answers:
            until(lambda: held.refused == 10)
            until(lambda: held.inside.count(TOKENS) == 2)
            assert held.inside.count(VERIFY) == 3
            assert answers == [b"refused"] * 10
    assert answers.count(b"done") == 2


def test_of_the_others_no_more_run_at_once_than_before() -> None:
    held = Held()
    app, most = Gate(held, threads=2, waiting=1), 0
    with coming(app, held, *[TOKENS] * 6, VERIFY) as answers:
        until(lambda: len(held.inside) == 3)
        until(lambda: len(app._threads._queue) == 4)
        most = held.inside.count(TOKENS)
    assert most == 2
    assert answers == [b"done"] * 7


def test_a_request_that_fails_gives_its_turn_back() -> None:
    def broken(environ: Environ, start_response: Any) -> Iterable[bytes]:
        assert FULL not in environ
        raise Fault

    app = Gate(broken, threads=1, waiting=1)
    for path in (TOKENS, VERIFY) * 3:
        with pytest.raises(Fault):
            app({"PATH_INFO": path}, None)


def test_turns_come_in_the_order_of_asking() -> None:
    turns, came = Turns(1), []

    def ask(number: int) -> None:
        turns.take()
        came.append(number)
        turns.give_back()

    turns.take()
    threads = []
    for number in range(10):
        threads.append(threading.Thread(target=ask, args=(number,)))
        threads[-1].start()
        until(lambda: len(turns._queue) == len(threads))
    assert not turns.take(wait=False)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert came == list(range(10))
    assert turns.take(wait=False)


@pytest.mark.parametrize(
    ("path", "has"),
    [
        ("/v1/passwords", True), ("/v1/passwords/", True), ("/v1/passwords/verify", True), ("/v1/passwordsx", False),
        ("/v1/password", False), ("/v1/tokens", False), ("/", False), ("", False), ("//v1/passwords", False),
    ],
)  # fmt: skip
def test_which_requests_have_passwords(path: str, has: bool) -> None:
    assert has_passwords(path) is has


def test_the_gate_knows_every_way_to_a_hash(app: Flask) -> None:
    found = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("passwords.")}
    assert found
    assert all(has_passwords(rule) for rule in found)


def test_what_is_too_many_hears_when_to_come_again(
    app: Flask, door: Door, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "client", Client(Gate(app, threads=1, waiting=0)))
    reply = door.post(VERIFY, {"login": {"subject": "nobody"}, "password": "canary7531"})
    assert problem(reply) == (503, "hashing_busy", None)
    assert reply.headers["Retry-After"] == "1"
    log = capfd.readouterr().err
    assert '"status":503' in log
    assert '"event":"failure"' not in log
    assert "canary" not in log
    assert 'route="/v1/passwords/verify",status="503"' in door.get("/metrics").text
    assert door.post(TOKENS, {"field": "phone", "value": "13800138000"}).status_code == 201
    assert gate.FULL not in door.get("/livez").text
