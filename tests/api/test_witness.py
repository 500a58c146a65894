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
from itertools import count
from pathlib import Path

import pytest

from api.cli import main
from tests.service import free_port
from tests.vault.sinks.records import Log, leaf
from tests.waiting import until
from vault.audit import notes
from vault.sinks.opening import Surroundings, open_sink
from vault.sinks.protocol import ProofNeeded, Sink, SinkFailed

KNOWN = 9  # logs that the witness trusts are of a lower number


class Running:
    """A witness that may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        keys = "\n".join(Log(number).signer.vkey for number in range(1, KNOWN))
        (folder / "logs").write_text(f"# the vault's\n\n{keys}\n")
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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("witness"))
    yield made
    made.kill()


numbers = count(1)


@pytest.fixture
def log() -> Log:
    """A log that the witness knows, and has not seen."""
    made = Log(next(numbers))
    assert made.number < KNOWN
    made.grow(*map(leaf, range(20)))
    return made


def test_it_cosigns_what_has_only_grown_and_nothing_else(running: Running, log: Log) -> None:
    sink = running.sink()
    sink.probe()
    for first, end in ((0, 7), (7, 7), (7, 20)):
        note = notes.parse(sink.deliver(log.proven(first, end)))
        assert notes.verified(note, [notes.Verifier(running.key)]) == ["witness.example/w1"]
        assert notes.verified(note, [notes.Verifier(log.signer.vkey)]) == [log.origin]
    sink.probe()
    assert sink.restart_from(log.origin) == 20
    fork = Log(log.number)
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
    states = list((running.folder / "state").iterdir())
    known = [notes.parse(state.read_bytes()).text.split("\n")[:2] for state in states]
    assert [log.origin, "20"] in known
    assert {file.stat().st_mode & 0o077 for file in (*states, running.folder / "key")} == {0}


def test_it_knows_only_the_logs_it_was_told_of(running: Running) -> None:
    other = Log(KNOWN)
    other.grow()
    before = list((running.folder / "state").iterdir())
    with pytest.raises(SinkFailed) as failure:
        running.sink().deliver(other.proven(0, 1))
    assert failure.value.code == "sink_refused"
    assert list((running.folder / "state").iterdir()) == before


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
def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, more: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text(Log().signer.vkey)
    given = [
        "--name",
        "w",
        "--state",
        f"{tmp_path}/state",
        "--key",
        f"{tmp_path}/key",
        "--logs",
        f"{tmp_path}/logs",
    ]
    with pytest.raises(SystemExit) as ended:
        main(["witness", *given, *more])
    assert ended.value.code
    assert why in capsys.readouterr().err
