"""A call ends though the sink below it does not; and no two calls are in it at once."""

from __future__ import annotations

from threading import Event

import pytest

from tests.vault.sinks.records import Log
from tests.waiting import until
from vault.sinks.bounded import Bounded
from vault.sinks.protocol import Batch, SinkFailed


class Stuck:
    """A sink whose disk or name service does not answer until it is told to; the fault that no real part can show."""

    name, holds_records = "stuck", True

    def __init__(self) -> None:
        self.going_on, self.calls = Event(), 0

    def deliver(self, batch: Batch) -> str:
        self.probe()
        return "signed"

    def probe(self) -> None:
        self.calls += 1
        self.going_on.wait()

    def restart_from(self, origin: str) -> int | None:
        return 7

    def close(self) -> None:
        self.going_on.set()


def failed(call: object) -> str:
    with pytest.raises(SinkFailed) as failure:
        call()  # type: ignore[operator]
    return failure.value.code


def test_it_ends_and_keeps_others_out_until_the_first_has() -> None:
    stuck, log = Stuck(), Log()
    sink = Bounded(stuck, 0.01)
    assert failed(sink.probe) == "sink_slow"
    assert failed(lambda: sink.deliver(log.batch())) == "sink_slow"
    assert sink.restart_from("log") is None
    assert stuck.calls == 1
    sink.close()
    until(lambda: sink.restart_from("log") == 7)
    assert Bounded(stuck).deliver(log.batch()) == "signed"


def test_an_error_is_the_callers() -> None:
    class Broken(Stuck):
        def probe(self) -> None:
            raise SinkFailed("sink_full", "no space")

    assert failed(Bounded(Broken()).probe) == "sink_full"
