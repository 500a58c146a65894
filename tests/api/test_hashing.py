"""The hasher over its socket: answers, refusals, ends in the middle, strangers, and nothing of a password anywhere."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from api.hashing import lines, messages, remote, server, wire
from api.hashing.place import listening
from api.hashing.remote import RemoteHasher
from api.hashing.server import Server
from tests.api.hashers import CHEAP, SLOW, freeze, hashing, start
from tests.waiting import LONG, until
from vault.errors import (
    HashingBusy,
    HashingUnavailable,
    HashTooCostly,
    InvalidRequest,
    UnreadableHash,
    VaultError,
)
from vault.passwords.pool import Pool
from vault.passwords.profiles import DEFAULT
from vault.passwords.verifier import Verifier

PASSWORD = b"canary-password-7531"
NOBODY = 65_534


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a hasher that no test harms; its ceiling is one slow hash."""
    path = tmp_path_factory.mktemp("hasher") / "socket"
    with hashing(path, STRONGROOM_HASHING_MEMORY_MIB="32", STRONGROOM_PASSWORD_PROFILE="owasp"):
        yield path


@pytest.fixture
def hasher(address: Path) -> Iterator[RemoteHasher]:
    with closing(RemoteHasher(address, 60, 8)) as made:
        yield made


def verifier(hasher: RemoteHasher, password: bytes = PASSWORD) -> Verifier:
    return Verifier("argon2id", hasher.hash([password], CHEAP)[0])


def in_threads(count: int, work: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_columns_come_back_in_order(hasher: RemoteHasher) -> None:
    passwords = [f"password {n}".encode() for n in range(20)]
    kept = [Verifier("argon2id", text) for text in hasher.hash(passwords, CHEAP)]
    assert len({one.encoded for one in kept}) == 20
    asked = [*passwords[:10], *reversed(passwords[10:])]
    assert hasher.verify(asked, kept) == [True] * 10 + [False] * 10
    assert hasher.hash([], CHEAP) == []


def test_it_judges(hasher: RemoteHasher) -> None:
    common, rare = hasher.judge(["password", "vLz4!mQ9 pylon thicket"])
    assert common.score < rare.score
    assert common.common > rare.common


def test_the_operators_own_list_counts(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("Our Company Spring Sale\n", "utf-8")
    with (
        hashing(tmp_path / "socket", STRONGROOM_PASSWORD_WORDS_FILE=str(tmp_path / "words")) as _,
        closing(RemoteHasher(tmp_path / "socket", 60, 1)) as own,
    ):
        told = own.judge(["our company spring sale", "our company autumn sale"])
    assert [one.common for one in told] == [True, False]


def test_many_threads_share_it(hasher: RemoteHasher) -> None:
    kept = verifier(hasher)
    right: list[bool] = []

    def work() -> None:
        for n in range(20):
            password = PASSWORD if n % 2 else b"another"
            right.append(hasher.verify([password], [kept]) == [bool(n % 2)])

    for thread in in_threads(16, work):
        thread.join()
    assert right == [True] * 320


def test_what_the_pool_refuses_is_refused_here(hasher: RemoteHasher) -> None:
    with pytest.raises(HashTooCostly):
        hasher.hash([PASSWORD], DEFAULT)
    with pytest.raises(UnreadableHash):
        hasher.verify([PASSWORD], [Verifier("argon2id", "$argon2id$v=19$cut")])
    assert hasher.hash([PASSWORD], CHEAP)  # on the same connection


def test_every_refusal_keeps_its_class() -> None:
    for kind in (HashingBusy, HashingUnavailable, HashTooCostly, UnreadableHash):
        told = messages.cause(messages.refusal(kind("canary")))
        assert (type(told), str(told)) == (kind, "")
    assert type(messages.cause(messages.refusal(MemoryError()))) is HashingUnavailable


def test_a_turn_that_would_come_too_late_is_refused(address: Path, hasher: RemoteHasher) -> None:
    slow = in_threads(1, lambda: check(hasher.hash([PASSWORD], SLOW)))
    until(lambda: hasher.load().running == 1)
    with closing(RemoteHasher(address, 0.05, 1)) as hasty, pytest.raises(HashingBusy):
        hasty.hash([PASSWORD], SLOW)
    slow[0].join()


def test_so_is_a_turn_on_a_connection(address: Path) -> None:
    with closing(RemoteHasher(address, 0.05, 1)) as narrow:
        slow = in_threads(1, lambda: check(narrow.hash([PASSWORD], SLOW)))
        until(lambda: narrow.load().running == 1)
        with pytest.raises(HashingBusy):
            narrow.judge(["hello"])
        slow[0].join()


def test_processes_share_one_ceiling(address: Path, hasher: RemoteHasher) -> None:
    code = (
        "import sys; from pathlib import Path; from api.hashing.remote import RemoteHasher\n"
        "from tests.api.hashers import SLOW\n"
        "RemoteHasher(Path(sys.argv[1]), 60, 4).hash([b'x', b'y'], SLOW)"
    )
    callers = [subprocess.Popen([sys.executable, "-c", code, str(address)]) for _ in range(2)]
    seen = []
    until(lambda: seen.append(hasher.load()) or all(one.poll() is not None for one in callers))
    assert [one.wait() for one in callers] == [0, 0]
    assert max(load.waiting for load in seen) >= 2  # of both: each has two, and one runs
    assert {load.running for load in seen} == {0, 1}
    assert max(load.memory for load in seen) == SLOW.memory == seen[0].ceiling


def test_it_is_not_there(tmp_path: Path) -> None:
    nowhere = RemoteHasher(tmp_path / "socket", 60, 1)
    with pytest.raises(HashingUnavailable):
        nowhere.hash([PASSWORD], CHEAP)
    with pytest.raises(HashingUnavailable):
        nowhere.load()


def test_one_that_is_starting_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "START_SECONDS", 60)
    path, done = tmp_path / "socket", []
    with closing(RemoteHasher(path, 60, 1)) as early:
        thread = in_threads(1, lambda: done.append(early.hash([PASSWORD], CHEAP)))[0]
        with hashing(path):
            thread.join()
    assert len(done) == 1


def test_killed_under_requests_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "START_SECONDS", 60)
    path, right, failed = tmp_path / "socket", [], []
    with closing(RemoteHasher(path, 60, 8)) as calls:
        ending = threading.Event()

        def work() -> None:
            while not ending.is_set():
                try:
                    right.append(calls.verify([PASSWORD], [kept]) == [True])
                except VaultError as error:
                    failed.append(error)

        with hashing(path) as first:
            kept = verifier(calls)
            threads = in_threads(8, work)
            until(lambda: len(right) > 50)
            first.kill()
        with hashing(path):
            before = len(right)
            until(lambda: len(right) > before + 50)
            ending.set()
            for thread in threads:
                thread.join()
    assert all(right)
    assert {type(error) for error in failed} <= {HashingUnavailable}


def test_one_that_was_stopped_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PATIENCE", 0.2)
    monkeypatch.setattr(remote, "LOAD_SECONDS", 0.2)
    path = tmp_path / "socket"
    with hashing(path) as process, closing(RemoteHasher(path, 60, 1)) as calls:
        kept = verifier(calls)
        freeze(process.pid)
        with pytest.raises(HashingUnavailable):
            calls.verify([PASSWORD], [kept])
        process.send_signal(signal.SIGCONT)
        until(lambda: answered(calls, kept))


def test_one_thread_at_a_time_waits_to_hear_of_one_that_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOAD_SECONDS", LONG)
    path, heard = tmp_path / "socket", []
    with hashing(path) as process, closing(RemoteHasher(path, 60, 1)) as calls:
        before = calls.load()
        freeze(process.pid)
        waits = in_threads(1, lambda: heard.append(calls.load()))[0]
        until(lambda: calls._asking)
        assert calls.load() is before
        assert heard == []
        process.send_signal(signal.SIGCONT)
        waits.join()
        assert [one.ceiling for one in heard] == [before.ceiling]
        process.kill()
        process.wait()
        with pytest.raises(HashingUnavailable):
            calls.load()


def answered(calls: RemoteHasher, kept: Verifier) -> bool:
    try:
        return calls.verify([PASSWORD], [kept]) == [True]
    except HashingUnavailable:
        return False


def test_a_long_column_is_waited_for(hasher: RemoteHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PATIENCE", 0.05)
    assert len(hasher.hash([PASSWORD] * 2, SLOW)) == 2


def test_who_keeps_a_connection_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    path, ending, failed = tmp_path / "socket", threading.Event(), []
    with listening(path) as listener, closing(Pool(64, 60)) as pool, ExitStack() as stack:
        serves = in_threads(1, lambda: Server(listener, pool, failed.append).serve(ending.is_set))[0]
        callers = [stack.enter_context(closing(RemoteHasher(path, 60, 1))) for _ in range(5)]
        for caller in callers * 2:
            assert len(caller.hash([PASSWORD], CHEAP)) == 1
        assert callers[0].load().running == 0
        ending.set()
        serves.join()
    assert failed == []


FORKS = """
import os, sys
from pathlib import Path
from api.hashing.remote import RemoteHasher
from tests.api.hashers import CHEAP
from vault.passwords.verifier import Verifier
hasher = RemoteHasher(Path(sys.argv[1]), 60, 2)
mine = Verifier("argon2id", hasher.hash([b"before"], CHEAP)[0])
children = []
for n in range(4):
    if (pid := os.fork()) == 0:
        right = all(hasher.verify([b"before", b"%d" % n], [mine, mine]) == [True, False] for _ in range(50))
        os._exit(0 if right else 1)
    children.append(pid)
right = all(hasher.verify([b"other"], [mine]) == [False] for _ in range(50))
print(right, [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
"""


def test_a_fork_has_connections_of_its_own(address: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS, str(address)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True [0, 0, 0, 0]\n"


def message(body: object, size: int | None = None, version: int = wire.VERSION) -> bytes:
    raw = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
    return wire.HEAD.pack(len(raw) if size is None else size, version) + raw


GOOD = {
    "type": "hash",
    "passwords": [b"x"],
    "profile": msgspec.to_builtins(CHEAP),
    "urgent": True,
    "seconds": 9,
}


def costing(**cost: int) -> dict[str, object]:
    return {**GOOD, "profile": {**msgspec.to_builtins(CHEAP), **cost}}


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(message(GOOD, version=2), id="another version"),
        pytest.param(message(b"", wire.MOST_BYTES + 1), id="announced too large"),
        pytest.param(message(b"\xc1"), id="no MessagePack"),
        pytest.param(message({**GOOD, "type": "reveal"}), id="another kind"),
        pytest.param(message({**GOOD, "passwords": "x"}), id="another shape"),
        pytest.param(message({**GOOD, "passwords": [b"x" * 1_025]}), id="a password too long"),
        pytest.param(message({**GOOD, "passwords": [b""] * 10_001}), id="a column too long"),
        pytest.param(
            message({"type": "judge", "passwords": ["x" * 1_025], "seconds": 9}), id="words too long"
        ),
        pytest.param(message(costing(passes=0)), id="no pass"),
        pytest.param(message(costing(passes=2**40)), id="passes without end"),
        pytest.param(message(costing(memory=0)), id="no memory"),
        pytest.param(message(costing(memory=-64)), id="memory below nothing"),
        pytest.param(message(costing(lanes=0)), id="no lane"),
        pytest.param(message(costing(lanes=9)), id="more lanes than memory"),
        pytest.param(message({**GOOD, "seconds": math.nan}), id="seconds that never pass"),
        pytest.param(message({**GOOD, "seconds": -1}), id="seconds below nothing"),
        pytest.param(message(GOOD).replace(b"cheap", b"\xff" * 5), id="no UTF-8"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", id="HTTP"),
    ],
)
def test_what_is_no_message_ends_that_connection_alone(
    address: Path, hasher: RemoteHasher, sent: bytes
) -> None:
    kept = verifier(hasher)
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(address))
        stranger.sendall(message(GOOD))
        assert isinstance(wire.answered(stranger), messages.Hashes)
        stranger.sendall(sent)
        assert ended(stranger)
    assert hasher.verify([PASSWORD], [kept]) == [True]


def ended(connection: socket.socket) -> bool:
    connection.settimeout(60)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:  # it had not read all of it
        return True


def test_too_much_is_not_even_sent(hasher: RemoteHasher) -> None:
    for passwords in ([b"x"] * 10_001, [b"x" * 1_025]):
        with pytest.raises(InvalidRequest):
            hasher.hash(passwords, CHEAP)
    assert len(hasher.hash([b"x" * 1_024], CHEAP)) == 1


CALL = """
import os, socket, sys
from api.hashing import messages, wire
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as caller:
    caller.connect(sys.argv[1])
    try:
        caller.sendall(wire.packed(messages.HowBusy()))
        print(caller.recv(1))
    except OSError:
        print(b"")
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that other users reach."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_not_answered(open_to_all: Path) -> None:
    path = open_to_all / "socket"
    with hashing(path):
        path.chmod(0o666)  # as nothing of ours would: the mode is the first lock, and this the second
        heard = {
            user: subprocess.run(
                [sys.executable, "-c", CALL, str(path), str(user)], capture_output=True, text=True, check=True
            ).stdout
            for user in (0, NOBODY)
        }
    assert heard == {0: "b'\\x00'\n", NOBODY: "b''\n"}


LISTEN = """
import os, socket, sys
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready", flush=True)
    while True:
        print(len(listener.accept()[0].recv(9)), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_told_nothing(open_to_all: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "START_SECONDS", 0)
    open_to_all.chmod(0o777)
    path = open_to_all / "socket"
    command = [sys.executable, "-c", LISTEN, str(path), str(NOBODY)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with closing(RemoteHasher(path, 60, 1)) as calls, pytest.raises(HashingUnavailable):
            calls.hash([PASSWORD], CHEAP)
        assert process.stdout.readline() == b"0\n"
        process.kill()


def test_nothing_of_a_password_shows(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with hashing(path, STRONGROOM_LOG_LEVEL="debug") as process, closing(RemoteHasher(path, 60, 2)) as calls:
        kept = verifier(calls)
        calls.verify([PASSWORD], [kept])
        calls.judge([PASSWORD.decode()])
        with pytest.raises(VaultError) as refused:
            calls.verify([PASSWORD], [Verifier("argon2id", PASSWORD.decode())])
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(path))
            stranger.sendall(message({**GOOD, "passwords": PASSWORD.decode()}))
            assert ended(stranger)
        listed = (
            Path(f"/proc/{process.pid}/cmdline").read_text()
            + Path(f"/proc/{process.pid}/environ").read_text()
        )
        process.terminate()
        assert process.wait(60) == 0
    asks = [
        messages.Hash([PASSWORD], CHEAP, True, 1.0), messages.Verify([PASSWORD], [kept], 1.0),
        messages.Judge([PASSWORD.decode()], 1.0), messages.Hashes([kept.encoded]),
    ]  # fmt: skip
    said = path.with_suffix(".log").read_text() + listed + repr(refused.value) + repr(asks)
    for secret in (PASSWORD.decode(), PASSWORD.hex(), kept.encoded):
        assert secret not in said


def test_it_finishes_what_is_under_way(tmp_path: Path) -> None:
    path, done = tmp_path / "socket", []
    with hashing(path) as process, closing(RemoteHasher(path, 60, 2)) as calls:
        idle = RemoteHasher(path, 60, 1)
        idle.hash([PASSWORD], CHEAP)
        thread = in_threads(1, lambda: done.append(calls.hash([PASSWORD], SLOW)))[0]
        until(lambda: calls.load().running == 1)
        process.terminate()
        thread.join()
        assert process.wait(60) == 0
        idle.close()
    assert len(done) == 1
    assert not path.exists()


def test_a_second_one_leaves_the_first_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with hashing(path), closing(RemoteHasher(path, 60, 1)) as calls:
        second = start(path, tmp_path / "second.log")
        assert second.wait(60) == 2
        assert "another hasher listens at" in (tmp_path / "second.log").read_text()
        assert calls.hash([PASSWORD], CHEAP)


def check(found: object) -> None:
    assert found
