"""`strongroom serve`: what it refuses, what it starts, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from strongroom_client import Client, Retries, StrongroomError, Unreachable

from tests.api.cli.conftest import Command
from tests.api.cli.test_local import pair
from tests.service import Service, running
from tests.waiting import until


def children(pid: int) -> dict[int, str]:
    """Return the processes that `pid` started, with their command lines."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        text = (task / "children").read_text()
        for child in map(int, text.split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def background(service: Service) -> list[int]:
    assert service.process is not None
    return [pid for pid, line in children(service.process.pid).items() if " worker" in line]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except OSError:
        return False


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service that a test may stop."""
    settings = {"STRONGROOM_WORKERS": "2", "STRONGROOM_MAINTENANCE_SECONDS": "1"}
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **settings) as service:
        yield service


@pytest.mark.parametrize(
    ("settings", "error", "hint"),
    [
        (
            {"STRONGROOM_HOST": "0.0.0.0"},
            "serving 0.0.0.0 without TLS is refused",
            "STRONGROOM_TLS_CERTIFICATE",
        ),
        ({"STRONGROOM_HOST": "::"}, "serving :: without TLS is refused", "STRONGROOM_TLS_CERTIFICATE"),
        (
            {"STRONGROOM_HOST": "vault.example"},
            "serving vault.example without TLS",
            "STRONGROOM_HOST=127.0.0.1",
        ),
        ({"STRONGROOM_TLS_KEY": "x"}, "TLS needs a certificate and a key", "or neither"),
        ({}, "the key file cannot be read", "strongroom bootstrap"),
    ],
)
def test_it_does_not_start(local: Command, settings: dict[str, str], error: str, hint: str) -> None:
    local("db", "upgrade")
    done = local("serve", **settings)
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert error in first
    assert hint in second


def test_it_does_not_start_on_an_old_schema(local: Command) -> None:
    local("db", "upgrade")
    local("bootstrap", "--tenant", "shop", "-o", "keys.json")
    local.environment["STRONGROOM_DATABASE_URL"] = f"sqlite:///{local.folder}/data/new.db"
    done = local("serve")
    assert done.stderr.splitlines() == [
        "error: the database is at another schema",
        "hint: run `strongroom db upgrade`",
    ]


def test_a_port_that_is_taken_is_told(own: Service, local: Command) -> None:
    done = local("serve", **own.environment)
    assert done.returncode == 2
    assert f"cannot listen at 127.0.0.1, port {own.port}: Address already in use" in done.stderr


def test_it_says_where_and_runs_its_background_worker(own: Service) -> None:
    until(lambda: f"strongroom serves at {own.url}" in own.log.read_text())
    until(lambda: len(background(own)) == 1)
    first = background(own)[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: background(own) not in ([], [first]))
    assert "the background worker ended with code -9; it starts again in 1 s" in own.log.read_text()


def test_expired_tokens_are_shredded_in_the_background(own: Service) -> None:
    with Client(own.url, own.keys["test"]) as client:
        token = client.tokenize("phone", "13800138000", ttl_seconds=1)
        kept = client.tokenize("phone", "13800138000")
        until(lambda: [found.token for found in client.list()] == [kept])
        assert client.describe_column([token]).errors[0].code == "unknown_token"
    until(lambda: '"expired_tokens":1' in own.log.read_text())


def test_every_process_ends_with_it(own: Service) -> None:
    assert own.process is not None
    until(lambda: background(own))
    processes = list(children(own.process.pid))
    assert len(processes) >= 3
    assert own.stop() == 0
    assert not [pid for pid in processes if alive(pid)]


def test_the_background_worker_ends_when_serve_is_killed(own: Service) -> None:
    assert own.process is not None
    until(lambda: background(own))
    worker = background(own)[0]
    group = own.process.pid
    os.kill(group, signal.SIGKILL)
    until(lambda: not alive(worker))


def test_sigterm_finishes_what_is_under_way(own: Service) -> None:
    done, broken = 0, []

    def work() -> None:
        nonlocal done
        with Client(own.url, own.keys["test"], retries=Retries(attempts=1)) as client:
            while True:
                try:
                    client.tokenize_column("phone", ["13800138000"] * 500)
                    done += 1
                except StrongroomError as error:
                    broken.append(error)
                    return

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: done > 20)
    assert own.stop() == 0
    for thread in threads:
        thread.join()
    assert {type(error) for error in broken} == {Unreachable}
    refused = [error for error in broken if "refused" in str(error)]
    assert len(refused) == len(broken)  # turned away at the door, none in the middle of its request


def test_two_services_and_the_port_zero(own: Service, local: Command) -> None:
    environment = {**own.environment, "STRONGROOM_PORT": "0"}
    command = [sys.executable, "-m", "api.cli", "serve", "--no-worker"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with Client(url, own.keys["live"]) as here, Client(own.url, own.keys["live"]) as there:
            assert there.reveal(here.tokenize("text", "hello"), purpose="service", view="plain") == "hello"
        assert not [line for line in children(process.pid).values() if " worker" in line]
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_tls_from_end_to_end(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service(tmp_path, f"sqlite:///{tmp_path}/vault.db")
    service.prepare()
    environment = {
        **service.environment,
        **pair(tmp_path, authority),
        "STRONGROOM_HOST": "0.0.0.0",
        "STRONGROOM_PORT": str(port),
        "STRONGROOM_WORKERS": "1",
    }
    command = [sys.executable, "-m", "api.cli"]
    process = subprocess.Popen(
        [*command, "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().decode() == f"strongroom serves at https://0.0.0.0:{port}\n"
        with Client(f"https://127.0.0.1:{port}", service.keys["test"], ca=ca) as client:
            assert (
                client.reveal(client.tokenize("phone", "13800138000"), purpose="service") == "+86138****8000"
            )
        doctor = subprocess.run(
            [*command, "doctor", "--json"], env=environment, capture_output=True, check=False
        )
        found = {check["name"]: check["text"] for check in json.loads(doctor.stdout)["checks"]}
        assert found["port"] == f"the service at https://0.0.0.0:{port} is ready"
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


def test_metrics_of_all_workers_are_added_up(own: Service) -> None:
    import urllib.request

    with Client(own.url, own.keys["test"]) as client:
        for _ in range(20):
            client.tokenize_column("phone", ["13800138000"] * 5)
    with urllib.request.urlopen(own.url + "/metrics") as reply:
        lines = reply.read().decode().splitlines()
    counted = [line for line in lines if line.startswith("strongroom_values_total") and 'result="ok"' in line]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 100.0
