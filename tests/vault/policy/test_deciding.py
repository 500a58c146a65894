"""Decisions, beside an oracle that reads the document plainly: each role, operation, field, and generated policies."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.scenarios.campaign import FULL
from tests.vault.policy.generated import ask as generated_ask
from tests.vault.policy.generated import documents, written
from tests.vault.policy.oracle import ON_VALUES, SEEING, VIEWS, Ask, allowed
from vault import fields
from vault.columns import OPERATIONS
from vault.errors import InvalidRequest, PolicyInvalid
from vault.policy.document import read
from vault.policy.model import Decision, Row, Rows, Situation
from vault.policy.policy import Policy

TEXT = (Path(__file__).parent / "shop.toml").read_text("utf-8")
SHOP, DOCUMENT = read(TEXT), tomllib.loads(TEXT)
NOW = 1_795_230_000.0  # Saturday 2026-11-21 03:00:00 UTC, 11:00 in Shanghai
PURPOSES = ("settle", "chargeback", "risk", "market", "service")


def situation(ask: Ask) -> Situation:
    return Situation(frozenset(ask.roles), ask.operation, ask.purpose, ask.view, ask.at, ask.origin, ask.mode)


def rows(*some: Ask) -> Rows:
    return Rows(
        [ask.field for ask in some],
        [" ".join(ask.tags) or None for ask in some],
        [round(ask.at * 1e6) - ask.age * 1_000_000 for ask in some],
        [ask.own for ask in some],
    )


def cells(seed: int, each: int) -> Iterator[Ask]:
    """Every role, operation and field, with the rest drawn `each` times."""
    pick = random.Random(seed)
    for role in (*DOCUMENT["roles"], "unknown"):
        for operation in OPERATIONS:
            if operation == "reveal_plain":
                continue
            for field in fields.names() if operation in ON_VALUES else ("",):
                for _ in range(each):
                    yield Ask(
                        (role, *pick.sample(["base", "clerk", "night"], pick.choice([0, 0, 1, 2]))),
                        operation,
                        field,
                        pick.choice(PURPOSES) if operation in SEEING else "",
                        pick.choice(VIEWS) if operation == "reveal" else "",
                        NOW + pick.randrange(0, 7 * 24) * 3_600,
                        pick.choice([None, "10.1.2.3", "10.9.8.7", "192.0.2.1", "2001:db8::1", "::ffff:10.1.2.3"]),
                        pick.choice(["live", "live", "test"]),
                        tuple(tag for tag in ("legal_hold", "vip") if pick.random() < 0.3),
                        pick.choice([0, 3_599, 3_600, 90 * 86_400, 90 * 86_400 + 1]),
                        pick.random() < 0.5,
                    )  # fmt: skip


def plainly(ask: Ask) -> Ask:
    """The oracle knows no addresses of one kind mapped into the other."""
    return Ask(**{**ask.__dict__, "origin": "10.1.2.3"}) if ask.origin == "::ffff:10.1.2.3" else ask


def test_every_cell_is_as_the_oracle_says() -> None:
    asked = list(cells(1, 2))
    expected = [allowed(DOCUMENT, plainly(ask)) for ask in asked]
    assert [SHOP.decide(situation(ask), rows(ask))[0].allowed for ask in asked] == expected
    told = {(ask.roles[0], ask.operation, ask.field) for ask in asked}
    assert len(told) >= 300
    assert 100 < sum(expected) < len(expected) - 100


def test_columns_come_to_what_their_rows_come_to() -> None:
    pick = random.Random(2)
    pool = [ask for ask in cells(3, 1) if ask.operation in ON_VALUES]
    for first in pick.sample(pool, 40):
        some = [
            Ask(**{**first.__dict__, **{key: getattr(other, key) for key in ("field", "tags", "age", "own")}})
            for other in pick.choices(pool, k=40)
        ]
        found = SHOP.decide(situation(first), rows(*some))
        assert [decision.allowed for decision in found] == [allowed(DOCUMENT, plainly(ask)) for ask in some]
        assert found == [SHOP.decide(situation(ask), rows(ask))[0] for ask in some]
        assert found == [SHOP.judge(situation(ask), row(ask)) for ask in some]


def row(ask: Ask) -> Row:
    return Row(ask.field, frozenset(ask.tags), ask.age * 1_000_000, ask.own)


@settings(max_examples=2_000 if FULL else 15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), st.integers(0, 10**9))
def test_generated_policies_are_as_the_oracle_says(document: dict[str, Any], seed: int) -> None:
    text, pick = written(document), random.Random(seed)
    assert tomllib.loads(text) == document
    try:
        policy = read(text)
    except PolicyInvalid as error:
        assume("the rule on line" not in error.reason and "covers all" not in error.reason)
        raise
    for _ in range(40):
        ask = generated_ask(pick)
        decision = policy.decide(situation(ask), rows(ask))[0]
        assert decision.allowed == allowed(document, ask)
        agrees_with_the_rest(policy, situation(ask), ask, decision)


def agrees_with_the_rest(policy: Policy, asked: Situation, ask: Ask, decision: Decision) -> None:
    """Nothing that is allowed lies outside of what was told before looking at rows."""
    reached = policy.fields_of(asked)
    if decision.allowed:
        assert reached is None or ask.field in reached or not ask.field
        assert policy.at_all(asked).allowed
        assert ask.operation in policy.operations_of(ask.roles)
    if not policy.looks_at(asked) and ask.field:
        assert decision.allowed == (reached is None or ask.field in reached)
    assert bool(reached is None or reached) == policy.at_all(asked).allowed


def test_only_the_columns_that_rules_look_at_are_needed() -> None:
    settle = Situation(frozenset({"clerk"}), "reveal", "settle", "masked", NOW + 2 * 86_400, "10.1.2.3")
    assert SHOP.looks_at(settle) == frozenset()
    assert SHOP.decide(settle, Rows(["phone", "passport"])) == [Decision(True, 23, "a rule allows it"),
                                                                Decision(False, 35, "a rule denies it")]  # fmt: skip
    chargeback = Situation(frozenset({"clerk"}), "reveal", "chargeback", "full", NOW, "10.1.2.3")
    assert SHOP.looks_at(chargeback) == {"tags", "created"}
    with pytest.raises(ValueError, match="the rules look at"):
        SHOP.decide(chargeback, Rows(["bank_card"]))
    with pytest.raises(ValueError, match="not one for each row"):
        SHOP.decide(chargeback, Rows(["bank_card"] * 2, [None], [0, 0]))
    elsewhere = Situation(frozenset({"clerk"}), "reveal", "chargeback", "full", NOW, "192.0.2.1")
    assert SHOP.looks_at(elsewhere) == frozenset()  # the rule that would look at rows does not hold there


def test_a_decision_says_which_line_decides() -> None:
    lines = TEXT.splitlines()
    for ask in cells(4, 1):
        decision = SHOP.decide(situation(ask), rows(ask))[0]
        if not decision.line:
            assert decision == Decision(False, 0, "no rule allows it")
            continue
        header = lines[decision.line - 1]
        assert header.startswith("[[")
        assert header.endswith("allow]]" if decision.allowed else "deny]]")


def test_every_row_of_a_thousand_has_one_of_few_decisions() -> None:
    asked = Situation(frozenset({"person"}), "reveal", "service", "full", NOW)
    made = [round(NOW * 1e6) - second * 60_000_000 for second in range(1_000)]
    found = SHOP.decide(asked, Rows(["phone"] * 1_000, None, made, [True, False] * 500))
    assert [decision.allowed for decision in found] == [at >= 60 and at % 2 == 0 for at in range(1_000)]
    assert len({id(decision) for decision in found}) == 2


def test_to_reveal_plainly_is_to_reveal_in_full() -> None:
    for view in ("", "masked", "full"):
        asked = Situation(frozenset({"root"}), "reveal_plain", "risk", view, NOW, "192.0.2.1")
        assert SHOP.decide(asked, Rows(["phone"]))[0].allowed
        asked = Situation(frozenset({"analyst"}), "reveal_plain", "risk", view, NOW, "192.0.2.1")
        assert not SHOP.decide(asked, Rows(["phone"]))[0].allowed


def test_who_does_not_say_how_much_is_seen_may_see_all() -> None:
    assert not SHOP.at_all(Situation(frozenset({"analyst"}), "reveal", "risk")).allowed
    assert SHOP.at_all(Situation(frozenset({"analyst"}), "reveal", "risk", "fingerprint")).allowed


def test_a_view_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        SHOP.at_all(Situation(frozenset({"root"}), "reveal", "risk", "half"))
    assert refused.value.pointer == "/view"


def test_an_operation_that_is_on_no_values_has_one_row_of_no_field() -> None:
    for role, operation, good in (
        ("admin", "keys", True),
        ("clerk", "keys", False),
        ("person", "keys", False),
    ):
        asked = Situation(frozenset({role}), operation, at=NOW)
        assert SHOP.decide(asked, Rows([""]))[0].allowed == good == SHOP.at_all(asked).allowed
