"""From the logs to the places outside: nothing is left out, a failure is said, and it goes on by itself."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.vault.conftest import Shop, open_shop
from vault.alarming import Alarms
from vault.audit.leaf import decode
from vault.errors import AuditUnavailable
from vault.gatekeeping import FRESH_SECONDS, AuditGate
from vault.gauging import Gauges
from vault.sealer import Sealer
from vault.shipper import LEASE, Shipper
from vault.sinks.file import FileSink
from vault.sinks.protocol import Batch, SinkFailed
from vault.store import audithealth, leases, sinks


class Home:
    """A shop whose audit is kept in files, too."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.path, self.other = shop, folder / "audit.ndjson", folder / "other.ndjson"
        self.sinks: list[Any] = [FileSink(self.path, time.time)]
        self.jobs = (lambda: False, lambda _: None, self.failed)

    def failed(self, error: Exception) -> None:
        raise error

    def seal(self) -> None:
        Sealer(self.shop.resources, "test", *self.jobs).run_once()

    def shipper(self, holder: str = "test") -> Shipper:
        return Shipper(self.shop.resources, self.sinks, holder, *self.jobs)

    def gate(self) -> AuditGate:
        """A gate that has looked at nothing yet."""
        return AuditGate(self.shop.resources.database, time.monotonic)

    def open(self) -> bool:
        try:
            self.gate().require()
        except AuditUnavailable:
            return False
        return True

    def held(self, path: Path | None = None) -> list[tuple[str, int]]:
        """Return log and position of each record in the file, and see that it is the database's."""
        lines = [json.loads(line) for line in (path or self.path).read_bytes().splitlines()]
        with self.shop.resources.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT tenant, log, position, leaf FROM audit_leaf").all()
        stored = {(f"strongroom/{tenant:016x}/{log}", at): bytes(leaf) for tenant, log, at, leaf in rows}
        found = [(line["log"], line["position"]) for line in lines if "position" in line]
        for line in lines:
            if "position" in line:
                assert stored[line["log"], line["position"]] == b64decode(line["leaf"])
        return found

    def stored(self) -> set[tuple[str, int]]:
        with self.shop.resources.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT tenant, log, position FROM audit_leaf").all()
        return {(f"strongroom/{tenant:016x}/{log}", at) for tenant, log, at in rows}

    def operations(self) -> list[str]:
        """Return the operations on record in the file."""
        lines = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        return [line["operation"] for line in lines if "operation" in line]

    def alarms(self) -> list[tuple[str, str]]:
        """Return kind and cause of the alarms."""
        listed = Alarms(self.shop.resources).list(self.shop.actor).alarms
        return sorted((alarm.kind, alarm.caller) for alarm in listed)


@contextmanager
def kept(shop: Shop, folder: Path) -> Iterator[Home]:
    made = Home(shop, folder)
    yield made
    for sink in made.sinks:
        sink.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    shop = open_shop(f"sqlite:///{tmp_path}/vault.db")
    with kept(shop, tmp_path) as made:
        yield made
    shop.vault.close()


@pytest.fixture
def home_on(shop: Shop, tmp_path: Path) -> Iterator[Home]:
    """The same on SQLite and on PostgreSQL in turn."""
    with kept(shop, tmp_path) as made:
        yield made


def test_every_record_and_checkpoint_goes_out_once(home_on: Home) -> None:
    home = home_on
    shipper = home.shipper()
    for number in range(3):
        home.shop.tokenize("phone", f"+861380013800{number}")
        home.seal()
        shipper.run_once()
        shipper.run_once()
    held = home.held()
    assert set(held) == home.stored()
    assert len(held) == len(set(held))
    notes = [json.loads(line) for line in home.path.read_bytes().splitlines() if b'"note"' in line]
    sizes = [note["checkpoint"] for note in notes if note["log"] == held[0][0]]
    assert sizes == sorted(set(sizes))


def test_the_gate_opens_when_a_place_takes_records(home: Home) -> None:
    assert not home.open()
    home.shipper().run_once()
    assert home.open()
    assert home.gate().state() == "ok"


def test_a_loss_shuts_the_gate_raises_alarms_and_heals_by_itself(home_on: Home) -> None:
    home = home_on
    shipper = home.shipper()
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    shipper.run_once()
    before = set(home.held())
    home.path.unlink()
    shipper.run_once()
    assert not home.open()
    assert home.gate().state() == "audit_unavailable"
    shipper.run_once()
    assert home.open()
    home.seal()
    shipper.run_once()
    assert before < set(home.held()) == home.stored()
    name = f"file:{home.path}"
    assert home.alarms() == [
        ("audit_paused", ""), ("audit_resumed", ""), ("audit_sink_failed", name), ("audit_sink_recovered", name),
    ]  # fmt: skip
    assert home.operations().count("audit_paused") == home.operations().count("audit_resumed") > 0


def test_one_place_that_holds_records_is_enough(home: Home) -> None:
    home.sinks.append(FileSink(home.other, time.time))
    shipper = home.shipper()
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    shipper.run_once()
    home.path.unlink()
    shipper.run_once()
    assert home.open()
    assert home.alarms() == [("audit_sink_failed", f"file:{home.path}")]
    assert Gauges(home.shop.resources).read().sinks == {
        f"file:{home.path}": False,
        f"file:{home.other}": True,
    }
    assert set(home.held(home.other)) == home.stored()


class Witness:
    """Holds no records, and is always well."""

    name, holds_records = "witness+https://w.example", False

    def deliver(self, batch: Batch) -> str:
        return ""

    def probe(self) -> None: ...

    def restart_from(self, origin: str) -> int | None:
        return None

    def close(self) -> None: ...


class Choosy(Witness):
    """Refuses what it is given, though it says that it is well: such as a record that is too long for it."""

    name, holds_records = "syslog+tcp://logs.example:601", True

    def deliver(self, batch: Batch) -> str:
        raise SinkFailed("sink_too_long", "a record is longer than the receiver takes")


def test_a_place_without_records_opens_no_gate(home: Home) -> None:
    home.sinks = [Witness()]
    home.shipper().run_once()
    assert not home.open()


def test_what_is_refused_stays_refused(home: Home) -> None:
    """The gate does not swing: a place that is well between two records that it will not take is not well."""
    home.sinks = [Choosy()]
    shipper = home.shipper()
    shipper.run_once()
    assert home.open()
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    for _ in range(3):
        shipper.run_once()
        assert not home.open()
    assert home.alarms() == [("audit_paused", ""), ("audit_sink_failed", Choosy.name)]


def test_only_who_has_the_lease_delivers(home: Home) -> None:
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    assert leases.acquire(home.shop.resources.database, LEASE, "another", 60) is not None
    home.shipper().run_once()
    assert not home.path.exists()
    home.shop.later(61)
    home.shipper().run_once()
    assert set(home.held()) == home.stored()


def test_who_gets_the_lease_back_looks_at_the_file_anew(home: Home) -> None:
    """Another process wrote to it in the meantime, which is no alteration."""
    first = home.shipper("first")
    first.run_once()
    first.join()
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    theirs = Home(home.shop, home.path.parent)
    second = theirs.shipper("second")
    second.run_once()
    second.join()
    theirs.sinks[0].close()
    again = home.shipper("first")
    again.run_once()
    assert home.alarms() == []
    assert len(home.held()) == len(home.stored())


@pytest.mark.parametrize("seconds", [FRESH_SECONDS + 1, -3_600])
def test_a_state_that_nobody_says_any_more_is_not_believed(home: Home, seconds: float) -> None:
    """Neither when its time is over, nor when a clock was set back and makes it one of the future."""
    shipper = home.shipper()
    shipper.run_once()
    assert home.open()
    home.shop.later(seconds)
    assert not home.open()
    leases.release(home.shop.resources.database, LEASE, "test")
    shipper.run_once()
    assert home.open()


def test_a_cursor_ahead_of_what_the_place_holds_goes_back(home: Home) -> None:
    """As when the file was lost while no worker ran."""
    home.shop.tokenize("phone", "+8613800138000")
    home.seal()
    first = home.shipper()
    first.run_once()
    home.sinks[0].close()
    home.path.unlink()
    home.sinks = [FileSink(home.path, time.time)]
    home.shipper().run_once()
    assert set(home.held()) == home.stored()
    with home.shop.resources.database.read() as connection:
        assert all(cursor.position for cursor in sinks.cursors(connection, home.sinks[0].name).values())


def test_the_gate_itself_reads_seldom(home: Home) -> None:
    now = [0.0]
    gate = AuditGate(home.shop.resources.database, lambda: now[0])
    assert gate.state() == "audit_unavailable"
    home.shipper().run_once()
    assert gate.state() == "audit_unavailable"
    now[0] += 0.5
    assert gate.state() == "ok"
    home.shop.resources.database.write(
        lambda transaction: audithealth.tell(transaction, "outside", "sink_full")
    )
    now[0] += 0.5
    with pytest.raises(AuditUnavailable):
        gate.require()


def test_pauses_are_on_record_in_every_log(home: Home) -> None:
    shipper = home.shipper()
    home.shop.tokenize("phone", "+8613800138000")
    theirs = replace(home.shop, actor=home.shop.tests)
    theirs.tokenize("phone", "+8613800138001")
    home.seal()
    shipper.run_once()
    home.path.unlink()
    shipper.run_once()
    with home.shop.resources.database.read() as connection:
        waiting = connection.exec_driver_sql("SELECT leaf FROM audit_record").scalars().all()
    said = [decode(bytes(leaf)) for leaf in waiting]
    paused = [record.tenant for record in said if record.operation == "audit_paused"]
    assert sorted(paused) == sorted({home.shop.actor.tenant, home.shop.tests.tenant})
