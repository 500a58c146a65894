"""The hasher beside `serve`, and on its own: where it listens, how low it stands, when it ends and comes again."""

from __future__ import annotations

import json
import os
import signal
import stat
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.cli.hashcheck import machine_mib
from api.hashing.remote import RemoteHasher
from tests.api.cli.conftest import Command
from tests.api.cli.test_serve import alive, children
from tests.api.hashers import CHEAP, answers, freeze, hashing
from tests.service import Service, running
from tests.waiting import until
from vault.errors import HashingUnavailable
from vault.passwords.verifier import Verifier

SCHED_BATCH = 3  # linux/sched.h


def hashers(service: Service) -> list[int]:
    assert service.process is not None
    return [pid for pid, line in children(service.process.pid).items() if " hasher" in line]


def temporary(service: Service) -> Path:
    """The service's folder for temporary files."""
    return Path(service.settings["TMPDIR"])


def folder(service: Service) -> Path:
    """The folder of this run, from the environment of a worker."""
    (found,) = temporary(service).glob("strongroom-hasher-*")
    return found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Service]:
    """A service that a test may stop, with a folder for temporary files of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="own-") as short,  # a socket's name may not be long
        running(tmp_path, f"sqlite:///{tmp_path}/vault.db", TMPDIR=short) as service,
    ):
        until(lambda: answers(folder(service) / "socket"))
        yield service


def scheduling(pid: int) -> set[tuple[int, int]]:
    """Return niceness and policy of every thread of a process (proc_pid_stat(5), fields 19 and 41)."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(") ")[2].split()
        found.add((int(fields[16]), int(fields[38])))
    return found


def test_every_thread_of_it_stands_behind(own: Service) -> None:
    (pid,) = hashers(own)
    with closing(RemoteHasher(folder(own) / "socket", 60, 1)) as calls:
        assert calls.hash([b"x"] * 4, CHEAP)
        assert len(list(Path(f"/proc/{pid}/task").iterdir())) > 2  # it hashes, and it listens
        assert scheduling(pid) == {(19, SCHED_BATCH)}
    assert own.process is not None
    assert {nice for nice, _ in scheduling(own.process.pid)} == {0}


def test_only_its_owner_reaches_it(own: Service) -> None:
    assert stat.S_IMODE(folder(own).stat().st_mode) == 0o700
    assert stat.S_IMODE((folder(own) / "socket").stat().st_mode) == 0o600


def test_it_has_neither_database_nor_root_key_open(own: Service) -> None:
    (pid,) = hashers(own)
    files = {os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir() if one.exists()}
    assert not [name for name in files if "vault.db" in name or "root.key" in name]
    assert own.process is not None
    assert "sqlite" not in Path(f"/proc/{pid}/maps").read_text()
    assert "sqlite" in Path(f"/proc/{own.process.pid}/maps").read_text()  # where it is, it shows


def test_killed_it_starts_again_and_meanwhile_the_service_goes_on(own: Service) -> None:
    (first,) = hashers(own)
    with closing(RemoteHasher(folder(own) / "socket", 60, 2)) as calls:
        calls.hash([b"x"], CHEAP)
        os.kill(first, signal.SIGKILL)
        assert own.post("/v1/tokens", {"field": "phone", "value": "13800138000"})[0] == 201
        until(lambda: hashers(own) not in ([], [first]))
        until(lambda: hashes(calls))
    assert "the hasher ended with code -9; it starts again in 0.1 s" in own.log.read_text()


def hashes(calls: RemoteHasher) -> bool:
    try:
        return len(calls.hash([b"x"], CHEAP)) == 1
    except HashingUnavailable:
        return False


def asked(service: Service, path: str) -> str:
    with urllib.request.urlopen(service.url + path) as reply:
        return str(reply.read().decode())


def numbers(service: Service) -> dict[str, float]:
    """Return what /metrics says of hashing."""
    lines = [
        line.split(" ")
        for line in asked(service, "/metrics").splitlines()
        if line.startswith("strongroom_hash")
    ]
    return {name.removeprefix("strongroom_").removeprefix("hashing_"): float(value) for name, value in lines}


def test_health_and_numbers_tell_of_it(own: Service) -> None:
    ready = json.loads(asked(own, "/readyz"))
    assert (ready["status"], ready["checks"]["hashing"]) == ("ok", "ok")
    idle = {"hasher_up": 1, "running": 0, "waiting": 0, "memory_bytes": 0, "ceiling_bytes": 512 << 20}
    until(lambda: numbers(own) == idle)  # at first it loads lists
    (pid,) = hashers(own)
    freeze(pid)
    ready = json.loads(asked(own, "/readyz"))  # 200: urlopen raises for others
    assert (ready["status"], ready["checks"]["hashing"]) == ("degraded", "unavailable")
    assert numbers(own) == {"hasher_up": 0}
    os.kill(pid, signal.SIGCONT)
    until(lambda: numbers(own)["hasher_up"] == 1)


def test_it_ends_with_serve_and_leaves_nothing(own: Service) -> None:
    (pid,) = hashers(own)
    assert own.stop() == 0
    assert not alive(pid)
    assert list(temporary(own).iterdir()) == []


def test_it_ends_when_serve_is_killed(own: Service) -> None:
    (pid,) = hashers(own)
    assert own.process is not None
    os.kill(own.process.pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    assert not (folder(own) / "socket").exists()


def test_services_of_a_host_share_one_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with hashing(path, STRONGROOM_HASHING_MEMORY_MIB="99"):
        settings = {"STRONGROOM_HASHER_SOCKET": str(path), "STRONGROOM_WORKERS": "1"}
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        with (
            running(tmp_path / "one", f"sqlite:///{tmp_path}/one/vault.db", **settings) as one,
            running(tmp_path / "two", f"sqlite:///{tmp_path}/two/vault.db", **settings) as two,
        ):
            for service in (one, two):
                assert hashers(service) == []
                assert numbers(service)["ceiling_bytes"] == 99 << 20
            assert one.stop() == 0
            assert answers(path)


def test_it_takes_over_from_one_that_died(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with hashing(path) as first:
        first.kill()
        first.wait()
        assert path.exists()
    with hashing(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def scrypt(log: int) -> Verifier:
    return Verifier("scrypt", f"$scrypt$ln={log},r=8,p=1$c2FsdHNhbHQ${'A' * 43}")


def resident(pid: int) -> int:
    """Return the kibibytes of memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_it_gives_back_what_scrypt_has_taken(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with hashing(path) as process, closing(RemoteHasher(path, 60, 1)) as calls:
        assert calls.verify([b"x"] * 8, [scrypt(4)] * 8) == [False] * 8  # what it needs is loaded now
        before = resident(process.pid)
        assert calls.verify([b"x"] * 8, [scrypt(14)] * 8) == [False] * 8  # 16 MiB each
        until(lambda: resident(process.pid) < before + 8_192)


def test_what_is_no_socket_is_left_alone(local: Command) -> None:
    path = local.folder / "precious"
    path.write_text("a key")
    done = local.process("hasher", STRONGROOM_HASHER_SOCKET=str(path))
    assert done.returncode == 2
    assert f"cannot listen at {path}: Address already in use" in done.stderr
    assert path.read_text() == "a key"


@pytest.mark.parametrize(
    ("path", "error", "hint"),
    [
        (None, "a hasher needs a socket to listen at", "STRONGROOM_HASHER_SOCKET"),
        ("missing/socket", "cannot listen at missing/socket: No such file", "STRONGROOM_HASHER_SOCKET"),
        ("x" * 108, "STRONGROOM_HASHER_SOCKET: a socket's path has at most 107 bytes", "README"),
    ],
)
def test_it_does_not_start(local: Command, path: str | None, error: str, hint: str) -> None:
    done = local.process("hasher", **({} if path is None else {"STRONGROOM_HASHER_SOCKET": path}))
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert error in first
    assert hint in second


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (
            {"STRONGROOM_PASSWORD_PROFILE": "canary"},
            "STRONGROOM_PASSWORD_PROFILE: a password profile is one of",
        ),
        (
            {"STRONGROOM_HASHING_MEMORY_MIB": "63"},
            "STRONGROOM_PASSWORD_PROFILE: one hash takes 64 MiB, more than STRONGROOM_HASHING_MEMORY_MIB",
        ),
        ({"STRONGROOM_HASHING_MEMORY_MIB": "31"}, "STRONGROOM_HASHING_MEMORY_MIB: "),
        ({"STRONGROOM_HASHING_WAIT_SECONDS": "0"}, "STRONGROOM_HASHING_WAIT_SECONDS: "),
    ],
)
def test_settings_that_do_not_go_together(local: Command, settings: dict[str, str], error: str) -> None:
    done = local("db", "upgrade", **settings)
    assert done.returncode == 2
    assert error in done.stderr
    assert "canary" not in done.stderr


def checks(command: Command, **more: str) -> dict[str, dict[str, str]]:
    done = command("doctor", "--json", **more)
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_doctor_looks_at_it(local: Command) -> None:
    found = checks(local)
    assert found["hashing"]["text"] == "rfc9106-low-memory: 64 MiB a hash, at most 512 MiB at once"
    assert "hasher" not in found
    much = checks(local, STRONGROOM_HASHING_MEMORY_MIB=str(machine_mib() - 1))["hashing"]
    assert (much["state"], "lower STRONGROOM_HASHING_MEMORY_MIB" in much["hint"]) == ("warn", True)
    assert checks(local, STRONGROOM_HASHING_MEMORY_MIB=str(machine_mib() + 1))["hashing"]["state"] == "FAIL"


def test_doctor_asks_a_hasher_of_its_own(local: Command) -> None:
    path = local.folder / "socket"
    away = checks(local, STRONGROOM_HASHER_SOCKET=str(path))["hasher"]
    assert (away["state"], away["hint"].split(",")[0]) == ("FAIL", "start `strongroom hasher`")
    with hashing(path, STRONGROOM_HASHING_MEMORY_MIB="32", STRONGROOM_PASSWORD_PROFILE="owasp"):
        small = checks(local, STRONGROOM_HASHER_SOCKET=str(path))["hasher"]
        assert (small["state"], small["text"]) == (
            "FAIL",
            "its ceiling of 32 MiB is less than one hash takes",
        )
        fit = checks(local, STRONGROOM_HASHER_SOCKET=str(path), STRONGROOM_PASSWORD_PROFILE="owasp")["hasher"]
        assert fit["state"] == "ok"
