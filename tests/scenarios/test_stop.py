"""Start and stop: at any moment, under load, by one signal or by several; nobody is cut off, nobody stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event, Thread

import psutil
import pytest

from tests.scenarios import records, stock
from tests.scenarios.caller import GONE, Caller, calling
from tests.scenarios.campaign import rounds
from tests.service import Service, running
from tests.waiting import LONG, until

HEARD_SECONDS = 30.0  # a worker that never heard the signal is killed after 35


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    quick = {"STRONGROOM_MAINTENANCE_SECONDS": "1"}
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **quick) as service:
        yield service
    for told in ("and was killed", "KeyboardInterrupt"):
        assert told not in service.log.read_text()


def family(service: Service) -> list[psutil.Process]:
    """Return every process of a service."""
    assert service.process is not None
    head = psutil.Process(service.process.pid)
    return [head, *head.children(recursive=True)]


def gone(processes: list[psutil.Process], seconds: float = LONG) -> bool:
    return not psutil.wait_procs(processes, timeout=seconds)[1]


def test_at_any_moment_of_its_start(served: Service) -> None:
    """Before the workers exist, while they import, when the first is ready and the second is not."""
    assert served.stop() == 0
    draw = Random(8)
    for _ in range(rounds(20, 200)):
        with served.log.open("ab") as log:
            command = [sys.executable, "-m", "api.cli", "serve"]
            process = subprocess.Popen(
                command, env=served.environment, stdout=log, stderr=log, start_new_session=True
            )
        time.sleep(draw.uniform(0.0, 1.6))
        process.terminate()
        assert process.wait(HEARD_SECONDS) in {0, -signal.SIGTERM}
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_at_once(served: Service, number: signal.Signals) -> None:
    """As a terminal sends Ctrl-C and systemd SIGTERM: the workers get it twice."""
    for _ in range(rounds(3, 20)):
        processes, head = family(served), served.process
        assert head is not None
        os.killpg(head.pid, number)
        assert head.wait(HEARD_SECONDS) == 0
        assert gone(processes)
        served.start()


def test_the_server_alone_is_killed(served: Service) -> None:
    """The kernel does so to the largest: the workers finish and end, and the port is free again."""
    processes, head = family(served), served.process
    assert head is not None
    head.kill()
    head.wait()
    assert gone(processes)
    served.start()
    with calling(served) as caller:
        caller.token("phone", "+8613800138000")


def test_one_worker_is_killed(served: Service) -> None:
    """Another takes its place, and meanwhile the others serve."""
    workers = [one for one in family(served)[1:] if "worker" not in one.cmdline()]
    workers[0].kill()

    def serves() -> bool:
        try:
            with calling(served) as caller:
                return bool(caller.token("phone", "+8613800138000"))
        except GONE:  # it was that worker's
            return False

    for _ in range(50):
        until(serves)
    until(lambda: len([one for one in family(served)[1:] if "worker" not in one.cmdline()]) == len(workers))


def test_under_load_whatever_was_done_is_answered(served: Service) -> None:
    """A request that hears nothing was not carried out; what was carried out was answered."""
    lost: list[str] = []
    refused: list[bytes] = []
    for number in range(rounds(3, 30)):
        ending, answered = Event(), set[str]()
        threads = [
            Thread(target=ask, args=(served, f"s{number}-{at}", ending, answered, lost, refused))
            for at in range(8)
        ]
        for thread in threads:
            thread.start()
        until(lambda answered=answered: len(answered) > 20)
        processes = family(served)
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < HEARD_SECONDS
        assert gone(processes)
        ending.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        served.start()
    done = records.counted(served.database_url)
    assert refused == []
    assert [name for name in lost if done[name]] == []


def ask(
    service: Service, name: str, ending: Event, answered: set[str], lost: list[str], refused: list[bytes]
) -> None:
    """Send columns, every other one on a new connection, until the service takes none."""
    draw, caller, count = Random(name), Caller(service.port, service.keys["live"]), 0
    while not ending.is_set():
        count += 1
        field, values = stock.column(draw, draw.choice([1, 10, 1_000]))
        this = f"{name}-{count}"
        try:
            answer = caller.post("/v1/tokens/column", {"field": field, "values": values}, X_Request_Id=this)
        except GONE:
            lost.append(this)
            break
        answered.add(this)
        if answer.status != 200:
            refused.append(answer.raw)
        if count % 2:
            caller.close()
    caller.close()


def test_a_long_round_of_background_work_ends_when_told(served: Service) -> None:
    """Tens of thousands of expired tokens are waiting to be shredded."""
    draw = Random(1)
    with calling(served) as caller:
        for _ in range(5):
            caller.tokens("phone", [stock.phone(draw) for _ in range(10_000)])
    assert served.stop() == 0
    records.change(served.database_url, "UPDATE token SET expires_at = 1")
    served.start()
    until(lambda: records.rows(served.database_url, "SELECT 1 FROM tombstone LIMIT 1"))
    began = time.monotonic()
    assert served.stop() == 0
    assert time.monotonic() - began < HEARD_SECONDS
    assert records.rows(served.database_url, "SELECT count(*) FROM token")[0][0] > 0
    lease = records.rows(served.database_url, "SELECT expires_at FROM lease WHERE name = 'maintenance'")
    assert lease[0][0] <= time.time() * 1e6, "the lease was not given back"
