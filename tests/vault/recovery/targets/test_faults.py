"""What happens to a target's server: each fault has its code, nothing half is ever seen, and it heals."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.databases import missing
from tests.network import NoNetwork, Wire, wire
from tests.s3_gateway import REGION, Gateway, NoGateway, gateway_command
from tests.sshd import NoSshd, sshd
from tests.vault.recovery.targets.conftest import KINDS, make, require_disk
from tests.vault.recovery.targets.places import SHORT, Place, ServedPlace, stop
from tests.waiting import until
from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.login import Account, read_key
from vault.recovery.targets.patience import Patience
from vault.recovery.targets.places import SftpPlace as Where
from vault.recovery.targets.protocol import TargetFailed
from vault.recovery.targets.s3 import S3
from vault.recovery.targets.sftp import Sftp
from vault.sinks.bucket import Bucket

FIRST, SECOND = "00000000deadbeef/data/chunks/01", "00000000deadbeef/data/chunks/02"
DATA = os.urandom(300_000)
FAULTS = [(kind, fault) for kind, place in KINDS.items() for fault in place.faults]
ABSENT = [(kind, fault) for kind, fault in FAULTS if fault in {"removed", "gone"}]
DISK = {"full", "read only", "immutable", "removed"}
BIG = os.urandom(4 * 1_048_576)


@pytest.fixture(params=FAULTS, ids=[f"{kind} {fault}" for kind, fault in FAULTS])
def broken(request: pytest.FixtureRequest) -> Iterator[tuple[Place, str]]:
    kind, fault = request.param
    if fault in DISK:
        require_disk()
    made = make(kind, request)
    if fault in DISK:
        made.small()
    yield made, fault
    made.close()


@pytest.fixture(params=["sftp", "s3"])
def served(request: pytest.FixtureRequest) -> Iterator[ServedPlace]:
    made = make(request.param, request)
    assert isinstance(made, ServedPlace)
    yield made
    made.close()


def problem(call: object, *words: object) -> str:
    """Return the code that a call fails with."""
    with pytest.raises(TargetFailed) as failure:
        call(*words)  # type: ignore[operator]
    assert str(failure.value).isascii()
    return failure.value.problem


def test_a_fault_has_its_code_and_nothing_is_lost_by_it(broken: tuple[Place, str]) -> None:
    place, fault = broken
    before = place.target()
    before.put(FIRST, DATA)
    getattr(place, fault.replace(" ", "_"))()
    for target in (before, place.target()) if fault in DISK | {"gone"} else (place.target(),):
        assert problem(target.put, SECOND, DATA) == place.faults[fault]
        assert problem(target.probe) == place.faults[fault]
    if fault != "removed" and fault != "gone":
        assert place.held() == {FIRST: DATA}
    place.heal()
    after = place.target()
    for path in (FIRST, SECOND):
        after.put(path, DATA)
    assert place.held() == {FIRST: DATA, SECOND: DATA}
    before.put(SECOND, DATA)


@pytest.mark.parametrize(
    "broken", [one for one in FAULTS if one[1] in {"removed", "gone"}], indirect=True, ids="-".join
)
def test_what_was_removed_is_not_merely_a_file_that_is_missing(broken: tuple[Place, str]) -> None:
    """Else a restore would take an empty target for one without backups."""
    place, fault = broken
    target = place.target()
    getattr(place, fault)()
    for call in (target.get, target.files, target.delete):
        assert problem(call, FIRST + "/" * (call == target.files)) == place.faults[fault]


def test_a_file_too_large_for_the_disk_leaves_the_room_that_was_there(place: Place) -> None:
    require_disk()
    place.small()
    target = place.target()
    assert problem(target.put, FIRST, bytes(2 * 1_048_576)) == "target_full"
    assert place.held() == {}
    target.put(FIRST, bytes(900_000))


def test_a_server_killed_halfway_leaves_all_or_nothing(served: ServedPlace) -> None:
    target = served.target()
    served.relay.hold(1_048_576)
    problems: list[str] = []
    thread = Thread(target=lambda: problems.append(problem(target.put, FIRST, BIG)))
    thread.start()
    assert served.relay.held.wait(60)
    stop(served.server)
    served.heal()
    thread.join()
    assert problems == ["target_unreachable"]
    assert list(target.files("00000000deadbeef/")) == []
    target.put(FIRST, BIG)
    assert served.held() == {FIRST: BIG}


@pytest.mark.parametrize("way", ["silent", "drip"])
def test_a_server_that_says_nothing_or_drips_is_given_up(served: ServedPlace, way: str) -> None:
    warm, cold = served.target(SHORT), served.target(SHORT)
    ready(warm)
    served.relay.way = way
    assert problem(cold.probe) == "target_slow"
    for call, words in ((warm.put, (FIRST, BIG)), (cold.get, (FIRST,)), (cold.files, ("",))):
        assert problem(call, *words) == "target_slow"
    served.relay.way = "pass"
    ready(warm)
    ready(cold)
    assert served.held() == {}


def ready(target: Bounded) -> None:
    """Wait until the target takes files, on a machine that may be busy with something else."""

    def takes() -> bool:
        try:
            target.probe()
        except TargetFailed as failure:
            return failure.problem != "target_slow"
        return True

    until(takes)


def test_a_line_that_was_idle_for_too_long_is_opened_again(served: ServedPlace) -> None:
    target = served.target()
    target.put(FIRST, DATA)
    stop(served.server)
    served.server.start()
    target.put(SECOND, DATA)
    assert served.held() == {FIRST: DATA, SECOND: DATA}


@pytest.fixture(scope="module")
def network() -> Iterator[Wire]:
    try:
        with wire() as made:
            yield made
    except NoNetwork as error:
        missing("a network of its own", str(error))


@pytest.fixture(params=["sftp", "s3"])
def far(
    request: pytest.FixtureRequest, network: Wire, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bounded]:
    """Give a target at the other end of the wire."""
    folder = tmp_path_factory.mktemp("far")
    patience = Patience(connect=2, call=1, rate=8 * 1_048_576)
    try:
        if request.param == "sftp":
            with sshd(folder, address=network.there, within=network.within) as server:
                (folder / "backups").mkdir()
                account = Account(
                    server.user, server.address, server.port, read_key(server.key), server.known_hosts
                )
                where = Where(server.user, server.address, server.port, str(folder / "backups"))
                yield Bounded(Sftp(account, where), time.monotonic, patience)
        else:
            server = Gateway(gateway_command(), folder, address=network.there, within=network.within)
            (folder / "backups").mkdir()
            server.start()
            bucket = Bucket("backups", "", REGION, server.access, server.secret, server.endpoint)
            yield Bounded(S3(bucket, None, patience), time.monotonic, patience)
            server.stop()
    except (NoSshd, NoGateway) as error:
        missing("a server", str(error))


def test_a_line_cut_halfway_loses_nothing(far: Bounded, network: Wire) -> None:
    far.probe()
    sent, problems = network.sent(), list[str]()
    thread = Thread(target=lambda: problems.append(problem(far.put, FIRST, BIG * 2)))
    thread.start()
    until(lambda: network.sent() > sent + 500_000)
    network.cut()
    thread.join()
    network.mend()
    assert problems == ["target_slow"]
    until(lambda: again(far))
    assert far.get(FIRST) == DATA


def again(target: Bounded) -> bool:
    """Put it once more, and say whether the target took it."""
    try:
        target.put(FIRST, DATA)
    except TargetFailed as failure:
        return failure.problem not in {"target_slow", "target_unreachable"}
    return True
