"""What every sink must do, with the real place behind it: hold what it took, and say when it cannot."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.databases import missing
from tests.s3_gateway import Gateway, NoGateway, gateway
from tests.vault.sinks import places
from tests.vault.sinks.places import Place
from tests.vault.sinks.records import HOSTILE, Log, leaf
from tests.waiting import until
from vault.sinks.protocol import LONGEST_RECORD, Batch, SinkFailed

KINDS: dict[str, type[Place]] = {
    "file": places.FilePlace, "fifo": places.FifoPlace, "syslog": places.SyslogPlace,
    "tls": places.TlsPlace, "local": places.LocalPlace,
    "stream": places.StreamPlace, "s3": places.S3Place,
}  # fmt: skip
FAULTS = [(kind, fault) for kind, place in KINDS.items() for fault in place.faults]


@pytest.fixture(scope="module")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    try:
        with gateway(tmp_path_factory.mktemp("s3")) as served:
            yield served
    except NoGateway as error:
        missing("versitygw", str(error))


def make(kind: str, request: pytest.FixtureRequest, folder: Path) -> Place:
    if kind == "s3":
        return places.S3Place(request.getfixturevalue("bucket_server"), f"audit-{secrets.token_hex(4)}")
    if kind == "file" and (os.geteuid() != 0 or shutil.which("chattr") is None):
        missing("a small disk", "run the tests as root, who may mount one, and install e2fsprogs for chattr")
    return KINDS[kind](folder)  # type: ignore[call-arg]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made = make(request.param, request, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=FAULTS, ids=[f"{kind} {fault}" for kind, fault in FAULTS])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, str]]:
    kind, fault = request.param
    made = make(kind, request, tmp_path)
    yield made, fault
    made.close()


@pytest.fixture
def log() -> Log:
    made = Log()
    made.grow(*map(leaf, range(20)))
    return made


def go_round(place: Place, batch: Batch) -> None:
    """Do as the shipper does: look first."""
    place.sink.probe()
    place.sink.deliver(batch)


def everything(*logs: Log) -> places.Held:
    return {(log.origin, at): one for log in logs for at, one in enumerate(log.leaves)}


def test_it_holds_what_it_took(place: Place, log: Log) -> None:
    place.sink.probe()
    place.sink.deliver(log.batch(0, 5))
    place.sink.deliver(log.batch(5))
    place.sink.probe()
    until(lambda: place.held() == everything(log))


def test_the_same_again_is_fine(place: Place, log: Log) -> None:
    for _ in range(3):
        place.sink.probe()
        place.sink.deliver(log.batch())
    until(lambda: place.held() == everything(log))


def test_logs_do_not_mix(place: Place, log: Log) -> None:
    other = Log(1, tenant=7)
    other.grow(leaf(100, tenant=7))
    for one in (log, other):
        place.sink.deliver(one.batch())
    until(lambda: place.held() == everything(log, other))


def test_a_checkpoint_alone_is_taken(place: Place, log: Log) -> None:
    place.sink.deliver(log.batch(20))
    place.sink.probe()
    assert place.held() == {}


def test_no_record_forges_a_line(place: Place) -> None:
    log = Log()
    log.grow(leaf(0, actor=HOSTILE, operation=HOSTILE, target=HOSTILE, request_id=HOSTILE), leaf(1))
    place.sink.deliver(log.batch(note=False))
    until(lambda: place.held() == everything(log))
    lines = [line for line in place.lines() if b'"event"' not in line]
    assert len(lines) == 2
    assert all(line.isascii() and line.decode().isprintable() for line in lines)


def test_the_longest_record_is_taken_whole(place: Place) -> None:
    log = Log()
    fixed = len(leaf(0, tokens=b""))
    log.grow(leaf(0, tokens=os.urandom((LONGEST_RECORD - fixed) // 16 * 16)), leaf(1))
    place.sink.deliver(log.batch(0, 1))
    place.sink.deliver(log.batch(1))
    until(lambda: place.held() == everything(log))


def test_a_record_of_a_format_to_come_is_taken(place: Place) -> None:
    log = Log()
    log.grow(b"\x09 of tomorrow")
    place.sink.deliver(log.batch())
    until(lambda: place.held() == everything(log))


def test_a_fault_shows_when_nothing_is_to_be_delivered(broken: tuple[Place, str], log: Log) -> None:
    place, fault = broken
    place.sink.deliver(log.batch())
    place.sink.probe()
    place.break_it(fault)
    asked = partial(place.sink.deliver, log.batch()) if fault in place.quiet else place.sink.probe
    with pytest.raises(SinkFailed) as failure:
        asked()
    assert failure.value.code == place.faults[fault]


def test_nothing_is_lost_by_a_fault(broken: tuple[Place, str], log: Log) -> None:
    """What comes in the meantime is refused, and all of it is there once it has healed."""
    place, fault = broken
    place.sink.deliver(log.batch(0, 10))
    place.break_it(fault)
    with pytest.raises(SinkFailed):
        go_round(place, log.batch(10))
    place.heal()

    def healed() -> bool:
        try:
            place.sink.probe()
            first = place.sink.restart_from(log.origin)
            place.sink.deliver(log.batch(10 if first is None else min(first, 10)))
        except SinkFailed:
            return False
        return True

    until(healed)
    place.sink.probe()
    until(lambda: place.held() == everything(log))
