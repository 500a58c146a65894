"""Explanations: each rule of the caller's roles, why it applies or not, and a decision that is the policy's."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.vault.policy.test_deciding import cells, row, situation
from vault.policy.document import read
from vault.policy.explaining import explain
from vault.policy.model import Row, Situation

SHOP = read((Path(__file__).parent / "shop.toml").read_text("utf-8"))
TUESDAY = datetime.fromisoformat("2026-11-24T09:30:00+08:00").timestamp()
CARD = Situation(frozenset({"clerk"}), "reveal", "chargeback", "full", TUESDAY, "10.1.2.3")

OWN = replace(CARD, roles=frozenset({"person"}), purpose="service")


def told(asked: Situation, of: Row) -> list[str]:
    return [f"{remark.line} {remark.verdict}: {remark.words}" for remark in explain(SHOP, asked, of)]


def test_an_allowance_is_explained() -> None:
    assert told(CARD, Row("bank_card")) == [
        "0 note: roles: clerk; by them also base",
        "13 does not apply: allow of role base: find, tokenize of every field; but it does not speak of reveal",
        "16 does not apply: deny of role base: every operation on values of login_record; "
        "but it does not speak of bank_card",
        "23 does not apply: allow of role clerk: describe, reveal of bank_account, bank_card, phone up to masked for "
        "settle, support on mon, tue, wed, thu, fri between 08:00 and 20:00 (Asia/Shanghai) from office; "
        "but the purpose is chargeback",
        "28 allows: allow of role clerk: reveal of bank_card up to full for chargeback from office, vpn if not "
        "tagged vip if at most 90d old",
        "35 does not apply: deny of role clerk: every operation on values of passport, resident_id; "
        "but it does not speak of bank_card",
        "93 does not apply: deny of every role: delete, erase of every field if tagged legal_hold; "
        "but it does not speak of reveal",
        "96 does not apply: deny of every role: decoys, roots of every field from vpn in live; "
        "but it does not speak of reveal",
        "0 note: chargeback needs the reference of a case",
        "0 note: at most 100 values a minute",
        "0 note: at most 1,000 values an hour",
        "0 note: at most 5,000 values a day",
        "0 note: above 1,000 values in one request a second person must approve",
        "28 allowed: reveal bank_card in full for chargeback: allowed by line 28",
    ]


@pytest.mark.parametrize(
    ("asked", "of", "line", "why"),
    [
        (CARD, Row("bank_card", frozenset({"vip", "eu"})), 28, "the row is tagged vip"),
        (CARD, Row("bank_card", age=90 * 86_400_000_000 + 1_000_000), 28, "the row is 7776001s old"),
        (replace(CARD, origin="192.0.2.1"), Row("bank_card"), 28, "it comes from elsewhere"),
        (replace(CARD, origin=None), Row("bank_card"), 28, "it is not known where it comes from"),
        (replace(CARD, purpose="settle"), Row("bank_card"), 23, "the view is full"),
        (replace(CARD, purpose="settle", view="masked", at=TUESDAY + 5e4), Row("phone"), 23, "it is tue 23:23 there"),
        (OWN, Row("phone", age=1), 53, "the row is 1e-06s old"),
        (OWN, Row("phone", age=10**13), 53, "the row is not the caller's own"),
        (replace(CARD, roles=frozenset({"analyst"}), view="match"), Row("email"), 69, "the mode is live"),
        (Situation(frozenset({"night"}), "reveal", "risk", "last4"), Row("email"), 47, "the row is not tagged vip"),
        (Situation(frozenset({"clerk"}), "keys"), Row(), 23, "it does not speak of keys"),
        (Situation(frozenset({"clerk"}), "find"), Row("phone"), 35, "it does not speak of phone"),
    ],
)  # fmt: skip
def test_why_a_rule_does_not_apply(asked: Situation, of: Row, line: int, why: str) -> None:
    (remark,) = (
        remark for remark in explain(SHOP, asked, of) if remark.line == line and "; but" in remark.words
    )
    assert remark.verdict == "does not apply"
    assert remark.words.endswith(f"; but {why}")


def test_a_refusal_says_what_may_be_seen_instead() -> None:
    asked = replace(CARD, purpose="settle")
    assert explain(SHOP, asked, Row("phone"))[-1].words == (
        "reveal phone in full for settle: denied: no rule allows it; at most masked"
    )
    assert (
        explain(SHOP, asked, Row("passport"))[-1].words
        == "reveal passport in full for settle: denied by line 35"
    )
    assert explain(SHOP, Situation(frozenset(), "keys"), Row())[-1].words == "keys: denied: no rule allows it"
    assert (
        explain(SHOP, Situation(frozenset({"x"}), "keys"), Row())[0].words
        == "roles: none that this policy has"
    )


def test_an_explanation_ends_in_the_decision() -> None:
    pick = random.Random(5)
    for ask in pick.sample(list(cells(6, 1)), 200):
        remarks = explain(SHOP, situation(ask), row(ask))
        decision = SHOP.judge(situation(ask), row(ask))
        assert (remarks[-1].line, remarks[-1].verdict) == (
            decision.line,
            "allowed" if decision.allowed else "denied",
        )
        applied = {remark.verdict for remark in remarks} & {"allows", "denies"}
        assert decision.allowed == (applied == {"allows"})
        deciding = [
            remark.line
            for remark in remarks
            if remark.verdict == ("allows" if decision.allowed else "denies")
        ]
        assert decision.line == (deciding[0] if deciding else 0)
