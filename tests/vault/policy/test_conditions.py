"""Conditions on time, place and mode: hours in their zone, over midnight, when clocks turn; networks; no zones."""

from __future__ import annotations

import sys
import zoneinfo
from collections.abc import Iterator
from datetime import datetime

import pytest

from vault.errors import InvalidRequest, PolicyInvalid
from vault.policy import moment
from vault.policy.document import read
from vault.policy.model import Row, Situation

NETWORKS = (
    '[networks]\noffice = ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7/32"]\nall = ["0.0.0.0/0", "::/0"]\n'
)


def allows(
    when: str, at: str = "2026-11-25T12:00:00+00:00", origin: str | None = None, mode: str = "live"
) -> bool:
    text = f'format = 1\n{NETWORKS}[roles.a]\n[[roles.a.allow]]\noperations = ["keys"]\nwhen = {{ {when} }}\n'
    asked = Situation(
        frozenset({"a"}), "keys", at=datetime.fromisoformat(at).timestamp(), origin=origin, mode=mode
    )
    return read(text).judge(asked, Row()).allowed


@pytest.mark.parametrize(
    ("when", "at", "good"),
    [
        ('hours = "08:00-20:00", zone = "Asia/Shanghai"', "2026-11-25T08:00:00+08:00", True),
        ('hours = "08:00-20:00", zone = "Asia/Shanghai"', "2026-11-25T07:59:59.999+08:00", False),
        ('hours = "08:00-20:00", zone = "Asia/Shanghai"', "2026-11-25T19:59:59.999+08:00", True),
        ('hours = "08:00-20:00", zone = "Asia/Shanghai"', "2026-11-25T12:00:00+00:00", False),
        ('hours = "00:00-24:00", zone = "UTC"', "2026-11-25T23:59:59+00:00", True),
        ('hours = "20:00-00:00", zone = "UTC"', "2026-11-25T23:59:59+00:00", True),
        ('hours = "20:00-00:00", zone = "UTC"', "2026-11-25T00:00:00+00:00", False),
        # over midnight, the day is the one on which the hours began: 2026-11-27 is a Friday
        ('hours = "22:00-06:00", days = ["fri"], zone = "Asia/Shanghai"', "2026-11-27T22:00:00+08:00", True),
        ('hours = "22:00-06:00", days = ["fri"], zone = "Asia/Shanghai"', "2026-11-28T05:59:00+08:00", True),
        ('hours = "22:00-06:00", days = ["fri"], zone = "Asia/Shanghai"', "2026-11-27T05:59:00+08:00", False),
        ('hours = "22:00-06:00", days = ["fri"], zone = "Asia/Shanghai"', "2026-11-28T22:00:00+08:00", False),
        ('days = ["sat"], zone = "Pacific/Kiritimati"', "2026-11-27T10:00:00+00:00", True),  # 14 hours ahead
        ('days = ["sat"], zone = "UTC"', "2026-11-27T23:59:59+00:00", False),
        # leap day, a Tuesday
        ('days = ["tue"], zone = "UTC"', "2028-02-29T12:00:00+00:00", True),
        ('hours = "22:00-02:00", days = ["tue"], zone = "UTC"', "2028-03-01T01:00:00+00:00", True),
        # New York turns 02:00 to 01:00 on 2026-11-01: the hour is there twice, and counts twice
        ('hours = "01:00-02:00", zone = "America/New_York"', "2026-11-01T05:30:00+00:00", True),
        ('hours = "01:00-02:00", zone = "America/New_York"', "2026-11-01T06:30:00+00:00", True),
        ('hours = "01:00-02:00", zone = "America/New_York"', "2026-11-01T07:00:00+00:00", False),
        # and 02:00 to 03:00 on 2026-03-08: the hour is not there
        ('hours = "02:00-03:00", zone = "America/New_York"', "2026-03-08T06:59:59+00:00", False),
        ('hours = "02:00-03:00", zone = "America/New_York"', "2026-03-08T07:00:00+00:00", False),
        # Lord Howe turns by half an hour: on 2026-04-05, 02:00 to 01:30
        ('hours = "01:30-02:00", zone = "Australia/Lord_Howe"', "2026-04-04T14:45:00+00:00", True),
        ('hours = "01:30-02:00", zone = "Australia/Lord_Howe"', "2026-04-04T15:15:00+00:00", True),
        ('hours = "01:30-02:00", zone = "Australia/Lord_Howe"', "2026-04-04T15:30:00+00:00", False),
    ],
)
def test_hours_and_days_are_those_of_a_place(when: str, at: str, good: bool) -> None:
    assert allows(when, at) is good


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        ("10.1.0.0", True), ("10.1.255.255", True), ("10.2.0.0", False), ("10.0.255.255", False), ("192.0.2.7", True),
        ("192.0.2.6", False), ("2001:db8:ffff::1", True), ("2001:db9::", False), ("::ffff:10.1.2.3", True),
        ("::ffff:10.2.2.3", False), ("::", False), (None, False), ("", False), ("10.1.2.3, 10.1.2.4", False),
        ("office", False), ("010.001.002.003", False), ("10.1.2.3\n", False), ("2001:db8::1%eth0", True),
    ],
)  # fmt: skip
def test_networks_hold_addresses(origin: str | None, good: bool) -> None:
    assert allows('networks = ["office"]', origin=origin) is good


def test_one_of_several_networks_is_enough() -> None:
    assert allows('networks = ["office", "all"]', origin="198.51.100.1")
    assert allows('networks = ["all"]', origin="2001:db9::1")


def test_what_cannot_be_told_counts_against() -> None:
    text = f'format = 1\n{NETWORKS}[roles.a]\n[[roles.a.allow]]\noperations = ["keys"]\n'
    denied = read(f'{text}[[deny]]\noperations = ["keys"]\nwhen = {{ networks = ["office"] }}\n')
    for origin, good in ((None, False), ("nowhere", False), ("10.1.2.3", False), ("10.2.2.3", True)):
        assert denied.judge(Situation(frozenset({"a"}), "keys", origin=origin), Row()).allowed is good


def test_modes_are_apart() -> None:
    assert allows('modes = ["test"]', mode="test")
    assert not allows('modes = ["test"]')
    assert allows('modes = ["live", "test"]')


@pytest.mark.parametrize("at", [1e18, -1e18, float("nan"), float("inf")])
def test_a_time_that_there_is_not_is_refused(at: float) -> None:
    rule = 'operations = ["keys"]\nwhen = { days = ["mon"], zone = "Asia/Tokyo" }'
    text = f"format = 1\n[roles.a]\n[[roles.a.allow]]\n{rule}\n"
    with pytest.raises(InvalidRequest) as refused:
        read(text).judge(Situation(frozenset({"a"}), "keys", at=at), Row())
    assert refused.value.pointer == "/at"


@pytest.fixture
def no_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine, without its time zones."""
    monkeypatch.setitem(sys.modules, "tzdata", None)
    held = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([])
    forget()
    yield
    zoneinfo.reset_tzpath(held)
    forget()


def forget() -> None:
    moment.zone_of.cache_clear()
    zoneinfo.ZoneInfo.clear_cache()


def test_a_machine_without_time_zones_says_so(no_zones: None) -> None:
    assert allows('days = ["wed"], zone = "UTC"')
    with pytest.raises(PolicyInvalid, match="line 8: this machine has no time zones but UTC: install"):
        allows('days = ["wed"], zone = "Asia/Shanghai"')
