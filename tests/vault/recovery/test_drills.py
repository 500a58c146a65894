"""Reports that a drill host sends: kept, noted at the backup, told of; refused where they are not its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.vault.conftest import MOSTLY_SQLITE, ON_SQLITE, Shop
from tests.vault.recovery.told import SIGNER, report
from vault.audit.leaf import decode
from vault.backup import layout
from vault.backup.plan import Plan, Recipients
from vault.errors import BackupsNotConfigured, InvalidReport, InvalidRequest
from vault.recovery import drills, reports
from vault.recovery.reports import Check
from vault.resources import Resources
from vault.store import alarms, catalogue
from vault.store.writer import Transaction

PLAN = Plan(recipients=Recipients(reporters=(SIGNER.vkey,)), drilled=3_600)
BAD = [
    Check(name="restored", state="passed"),
    Check(name="values", state="failed", code="unreadable_value", bad=1),
]


@pytest.fixture
def service(shop: Shop) -> Resources:
    """A service with one backup made, number 1 of the data."""
    resources = replace(shop.resources, backups=PLAN)

    def make(transaction: Transaction) -> None:
        catalogue.installation_of(transaction)
        number = catalogue.begin(transaction, "data", "full", None, 1, 500_000, 1)
        catalogue.made(transaction, "data", number, 1, "note", "ab" * 32, 1, 1, ["file backups"])

    resources.database.write(make)
    return resources


def mine(resources: Resources, **parts: object) -> str:
    """The note of a drill that passed, of the service's own backup."""
    with resources.database.read() as connection:
        known = catalogue.known_installation(connection)
    assert known is not None
    own = {"installation": layout.installation(known[0]), "number": 1, **parts}
    return reports.signed(report(**own), SIGNER)


def raised(shop: Shop) -> dict[str, int]:
    with shop.resources.database.read() as connection:
        return alarms.counts(connection)


def test_a_report_is_kept_and_noted_at_its_backup(service: Resources, shop: Shop) -> None:
    note = mine(service)
    made = drills.take_report(service, shop.actor, note)
    assert (made.passed, made.number, made.report) == (True, 1, note)
    assert drills.drills(service, shop.actor) == [made]
    with service.database.read() as connection:
        assert catalogue.get(connection, "data", 1).drilled_at == made.begun_at
    assert raised(shop) == {}


@MOSTLY_SQLITE
def test_a_report_that_comes_again_changes_nothing(service: Resources, shop: Shop) -> None:
    note = mine(service, checks=BAD)
    first = drills.take_report(service, shop.actor, note)
    records = shop.count("audit_record")
    assert drills.take_report(service, shop.actor, note) == first
    assert shop.count("drill") == 1
    assert shop.count("audit_record") == records
    assert raised(shop) == {"drill_failed": 1}


@MOSTLY_SQLITE
def test_a_failed_drill_raises_an_alarm_that_says_what_failed(service: Resources, shop: Shop) -> None:
    drills.take_report(service, shop.actor, mine(service, checks=BAD))
    with service.database.read() as connection:
        (alarm,) = alarms.page(connection, shop.actor.tenant, None, 10)
        assert catalogue.get(connection, "data", 1).drilled_at is None
    assert (alarm.kind, alarm.detail["failed"], alarm.detail["backup"]) == (
        "drill_failed", "values:unreadable_value", 1,
    )  # fmt: skip


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "wrong",
    [{"installation": "00000000000000aa"}, {"begun_at": 2**52}],
    ids=["another service", "the future"],
)
def test_a_report_of_elsewhere_is_refused(service: Resources, shop: Shop, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidReport):
        drills.take_report(service, shop.actor, mine(service, **wrong))
    assert shop.count("drill") == 0


@ON_SQLITE
def test_a_report_of_another_host_is_refused(service: Resources, shop: Shop) -> None:
    forged = reports.signed(report(), reports.signer(bytes(32)))
    with pytest.raises(InvalidReport):
        drills.take_report(service, shop.actor, forged)
    with pytest.raises(BackupsNotConfigured):
        drills.take_report(replace(service, backups=Plan()), shop.actor, mine(service))


@ON_SQLITE
def test_what_is_done_with_a_report_is_on_record(service: Resources, shop: Shop) -> None:
    made = drills.take_report(service, shop.actor, mine(service))
    with service.database.read() as connection:
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record").scalars().all()
    (record,) = [one for one in map(decode, map(bytes, leaves)) if one.operation == "report_drill"]
    assert (record.target, record.result, record.actor) == (made.id, "ok", shop.actor.name)


@ON_SQLITE
def test_lists_are_bounded(service: Resources, shop: Shop) -> None:
    for limit in (0, 1_001):
        with pytest.raises(InvalidRequest):
            drills.drills(service, shop.actor, limit)


@pytest.mark.parametrize(
    ("newest", "now", "late"),
    [(None, 10**15, False), (0, 3_600_000_000, False), (0, 3_600_000_001, True), (5, 0, False)],
)
def test_a_drill_is_missed_once_its_time_is_over(newest: int | None, now: int, late: bool) -> None:
    assert drills.missed(PLAN, newest, now) is late
    assert not drills.missed(Plan(), newest, now)
