"""The operator's own table of cases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from vault.policy.document import read
from vault.policy.model import Row

TEXT = (Path(__file__).parent / "shop.toml").read_text("utf-8")
CASE = """
[[cases]]
caller = "key_1"
operation = "delete"
field = "phone"
mode = "test"
tags = ["vip"]
age = "2h"
own = true
at = "2026-11-25T09:00:00+08:00"
network = "2001:db8::1"
expect = "deny"
"""


def test_cases_come_out_as_they_expect() -> None:
    found = read(TEXT).run_cases()
    assert [(decision.allowed, decision.line, good) for _, decision, good in found] == [
        (True, 28, True),
        (True, 74, True),
    ]


def test_a_case_is_read_whole() -> None:
    (case, decision, good) = read(TEXT + CASE).run_cases()[-1]
    asked = case.situation
    assert (case.caller, case.row) == ("key_1", Row("phone", frozenset({"vip"}), 7_200_000_000, True))
    assert (asked.operation, asked.mode, asked.origin) == ("delete", "test", "2001:db8::1")
    assert asked.at == datetime(2026, 11, 25, 1, tzinfo=UTC).timestamp()
    assert (case.allowed, decision.allowed, good) == (False, False, True)
    assert (TEXT + CASE).split("\n")[case.line - 1] == "[[cases]]"


def test_a_caller_of_a_case_has_the_roles_of_the_document() -> None:
    policy = read(TEXT + CASE)
    case, _, _ = policy.run_cases()[-1]
    assert policy.situation_of(case).roles == {"base"}


def test_a_policy_may_be_read_without_its_cases_being_met() -> None:
    policy = read((TEXT + CASE).replace('expect = "deny"', 'expect = "allow"'), tested=False)
    assert [good for _, _, good in policy.run_cases()] == [True, True, False]


def test_a_reveal_is_masked_where_the_case_does_not_say() -> None:
    text = (
        TEXT
        + CASE.replace("delete", "reveal").replace("vip", "eu").replace("key_1", "oidc:login.example.com#7")
        + 'purpose = "service"\n'
    )
    case, decision, _ = read(
        text.replace('expect = "deny"\npurpose', 'expect = "allow"\npurpose')
    ).run_cases()[-1]
    assert (case.situation.view, decision.line) == ("masked", 53)
