"""`strongroom witness` as a process of its own, and the sink that submits to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import free_port
from tests.vault.sinks.records import Log, leaf
from tests.waiting import until
from vault.audit import notes
from vault.sinks.opening import Surroundings, open_sink
from vault.sinks.protocol import ProofNeeded, Sink, SinkFailed


class Running:
    """A witness that may be killed and started again."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "logs").write_text(f"# the vault's\n\n{log.signer.vkey}\n")
        self.start()

    def start(self) -> None:
        command = [
            sys.executable, "-m", "api.cli", "witness", "--name", "witness.example/w1", "--port", str(self.port),
            "--state", self.folder / "state", "--key", self.folder / "key", "--logs", self.folder / "logs",
        ]  # fmt: skip
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)
        until(self._listens)
        self.key = (self.folder / "out").read_text().split()[0]

    def _listens(self) -> bool:
        assert self.process.poll() is None, (self.folder / "out").read_text()
        return "listening" in (self.folder / "out").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def sink(self, key: str | None = None) -> Sink:
        url = f"witness+http://127.0.0.1:{self.port}?key={key or self.key}"
        return open_sink(url, Surroundings(time.time, time.monotonic))

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", body, timeout=30) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@pytest.fixture
def log() -> Log:
    made = Log()
    made.grow(*map(leaf, range(20)))
    return made


@pytest.fixture
def running(tmp_path: Path, log: Log) -> Iterator[Running]:
    made = Running(tmp_path, log)
    yield made
    made.kill()


def test_it_cosigns_what_has_only_grown_and_nothing_else(running: Running, log: Log) -> None:
    sink = running.sink()
    sink.probe()
    for first, end in ((0, 7), (7, 7), (7, 20)):
        note = notes.parse(sink.deliver(log.proven(first, end)))
        assert notes.verified(note, [notes.Verifier(running.key)]) == ["witness.example/w1"]
        assert notes.verified(note, [notes.Verifier(log.signer.vkey)]) == [log.origin]
    sink.probe()
    assert sink.restart_from(log.origin) == 20
    fork = Log()
    fork.grow(*map(leaf, range(15)), leaf(99), *map(leaf, range(16, 30)))
    for batch in (fork.proven(20, 30), fork.proven(0, 20)):
        with pytest.raises(SinkFailed):
            sink.deliver(batch)
    with pytest.raises(SinkFailed) as failure:
        sink.deliver(fork.proven(20, 20))
    assert failure.value.code == "sink_differs"
    sink.deliver(log.proven(20, 20))


def test_a_witness_that_has_more_says_from_where_to_prove(running: Running, log: Log) -> None:
    running.sink().deliver(log.proven(0, 7))
    with pytest.raises(ProofNeeded) as needed:
        running.sink().deliver(log.proven(0, 20))
    assert needed.value.size == 7
    running.sink().deliver(log.proven(7, 20))
    with pytest.raises(SinkFailed) as failure:  # a database that was restored, or a log that was rewritten
        running.sink().deliver(log.proven(0, 10))
    assert failure.value.code == "sink_differs"


def test_what_it_cosigned_outlives_it(running: Running, log: Log) -> None:
    sink, key = running.sink(), running.key
    sink.deliver(log.proven(0, 7))
    running.kill()
    with pytest.raises(SinkFailed) as failure:
        sink.deliver(log.proven(7, 20))
    assert failure.value.code == "sink_unreachable"
    running.start()
    assert running.key == key
    sink.deliver(log.proven(7, 20))
    (state,) = (running.folder / "state").iterdir()
    assert notes.parse(state.read_bytes()).text.split("\n")[:2] == [log.origin, "20"]
    assert {file.stat().st_mode & 0o077 for file in (state, running.folder / "key")} == {0}


def test_it_knows_only_the_logs_it_was_told_of(running: Running, log: Log) -> None:
    other = Log(2)
    other.grow()
    with pytest.raises(SinkFailed) as failure:
        running.sink().deliver(other.proven(0, 1))
    assert failure.value.code == "sink_refused"
    assert list((running.folder / "state").iterdir()) == []


def test_a_cosignature_of_another_key_does_not_count(running: Running, log: Log) -> None:
    stranger = notes.Cosigner("witness.example/w1", os.urandom(32)).vkey
    with pytest.raises(SinkFailed) as failure:
        running.sink(stranger).deliver(log.proven(0, 7))
    assert failure.value.code == "sink_refused"


def test_a_bad_request_is_refused_and_the_next_one_answered(running: Running, log: Log) -> None:
    assert running.post("/add-checkpoint", b"old 01\n\n")[0] == 400
    assert running.post("/add-checkpoint", b"x" * 100_000)[0] == 400
    assert running.post("/", b"")[0] == 404
    running.sink().deliver(log.proven(0, 7))


def test_it_ends_when_it_is_told_to(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 0


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--host", "0.0.0.0"], "without TLS"),
        (["--name", "a name"], "name"),
        (["--tls-key", __file__], "certificate"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, log: Log, more: list[str], why: str) -> None:
    (tmp_path / "logs").write_text(log.signer.vkey)
    command = [
        sys.executable, "-m", "api.cli", "witness", "--name", "w", "--state", tmp_path / "state", "--key",
        tmp_path / "key", "--logs", tmp_path / "logs", *more,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert why in done.stderr
