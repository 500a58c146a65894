"""Who has which roles, and how much those may reveal."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vault.columns import OPERATIONS, PURPOSES
from vault.errors import InvalidRequest
from vault.policy.built_in import BUILT_IN
from vault.policy.document import read
from vault.policy.model import VIEWS, Budget, Row, Rows, Situation, Sweep, claim_of
from vault.policy.patterns import matches

SHOP = read((Path(__file__).parent / "shop.toml").read_text("utf-8"), 4)
ISSUER = "https://login.example.com/realm"


@pytest.mark.parametrize(
    ("pattern", "text", "good"),
    [
        ("bank_*", "bank_card", True), ("bank_*", "bank_", True), ("bank_*", "bank", False), ("*", "", True),
        ("*", "x", True), ("*_id", "resident_id", True), ("*_id", "_ids", False), ("a*a", "a", False),
        ("a*a", "aa", True), ("a*b*c", "abc", True), ("a*b*c", "acb", False), ("a*b*b*c", "abc", False),
        ("a*b*b*c", "abbc", True), ("*a*", "banana", True), ("a", "aa", False),
        ("a*ab*b", "aabb", True), ("a*ab*b", "aab", False),
    ],
)  # fmt: skip
def test_a_star_stands_for_any_characters(pattern: str, text: str, good: bool) -> None:
    assert matches(pattern, text) is good


def test_callers_have_the_roles_of_their_names() -> None:
    assert SHOP.roles_of("key_00112233aabbccdd") == {"clerk", "base"}
    assert SHOP.roles_of("key_1") == {"base"}
    assert SHOP.roles_of("oidc:login.example.com#7") == {"night", "person"}
    assert SHOP.roles_of("oidc:login.example.com#70") == frozenset()


def test_stored_roles_count_as_far_as_the_policy_has_them() -> None:
    assert SHOP.roles_of("key_1", ["clerk", "boss"]) == {"base", "clerk"}
    assert SHOP.roles_of("cert:x", {"boss"}) == frozenset()


def test_claims_count_with_their_issuer() -> None:
    assert SHOP.roles_of("oidc:x#1", claims={(claim_of(ISSUER, "groups"), "risk-team")}) == {"analyst"}
    for issuer, claim, value in (
        ("https://evil.example.com", "groups", "risk-team"), (ISSUER, "roles", "risk-team"), (ISSUER, "groups", "risk"),
    ):  # fmt: skip
        assert SHOP.roles_of("oidc:x#1", claims={(claim_of(issuer, claim), value)}) == frozenset()


def test_a_star_in_a_certificates_name_is_one_segment() -> None:
    for name, good in (
        ("spiffe://prod.example.com/eu/settlement", True), ("spiffe://prod.example.com/a/b/settlement", False),
        ("spiffe://prod.example.com//settlement", False), ("spiffe://prod.example.com/eu/settlement/", False),
        ("spiffe://test.example.com/eu/settlement", False), ("spiffe://prod.example.com/*/settlement", True),
    ):  # fmt: skip
        assert SHOP.roles_of("cert:x", certificates=[name]) == ({"root"} if good else frozenset())


def test_operations_are_those_of_api_keys() -> None:
    assert SHOP.operations_of({"clerk"}) == {"tokenize", "find", "reveal", "describe", "reveal_plain"}
    assert SHOP.operations_of({"analyst"}) == {"compare", "reveal"}
    assert "reveal_plain" not in SHOP.operations_of({"night"} - {"clerk"}) - SHOP.operations_of({"clerk"})
    assert SHOP.operations_of({"root"}) == set(OPERATIONS)
    assert SHOP.operations_of({"person"}).isdisjoint({"keys", "custody", "roots", "apikeys", "policy"})
    assert SHOP.operations_of({"unknown"}) == frozenset()


def test_the_most_generous_number_of_each_window_counts() -> None:
    assert SHOP.budget_of({"clerk"}) == Budget(100, 1_000, 5_000)
    assert SHOP.budget_of({"night"}) == Budget(100, 2_000, 5_000)  # which includes clerk
    assert SHOP.budget_of({"clerk", "analyst", "root"}) == Budget(
        100, 1_000, 5_000
    )  # roles without one lift none
    assert SHOP.budget_of({"analyst"}) == Budget()


def test_what_the_document_sets_beside() -> None:
    assert (SHOP.version, SHOP.bulk_limit, SHOP.sweep, SHOP.decoys_freeze) == (4, 1_000, Sweep(50, 7), True)
    assert (read("format = 1").sweep, read("format = 1").bulk_limit, read("format = 1").decoys_freeze) == (
        Sweep(),
        None,
        False,
    )
    assert SHOP.named_purposes["chargeback"].label == "Chargebacks"
    assert SHOP.roles["clerk"].label == "Front office"
    assert len(SHOP.digest) == 32 != read("format = 1").digest


def test_purposes_have_names_and_needs() -> None:
    assert SHOP.purpose("marketing") == "market"
    assert SHOP.purpose("chargeback") == "chargeback"
    assert SHOP.purposes.keys() == PURPOSES | {"chargeback"}
    assert {name: needs for name, needs in SHOP.purposes.items() if needs} == {
        "market": {"consent"}, "legal": {"case"}, "chargeback": {"case"},
    }  # fmt: skip
    with pytest.raises(InvalidRequest) as refused:
        BUILT_IN.purpose("chargeback")
    assert refused.value.pointer == "/purpose"
    more = read('format = 1\n[purposes.market]\nlabel = "Ads"\n[purposes.legal]\nneeds = ["consent"]\n')
    assert (more.needs("market"), more.needs("legal"), more.needs("")) == (
        {"consent"},
        {"case", "consent"},
        frozenset(),
    )


def test_without_a_policy_everybody_may_do_everything() -> None:
    for name in ("key_1", "bootstrap", "oidc:x#1", "cert:y", ""):
        roles = BUILT_IN.roles_of(name)
        for operation in OPERATIONS:
            asked = Situation(roles, operation, "market", "full", time.time())
            assert BUILT_IN.decide(asked, Rows(["bank_card"]))[0].allowed
            assert BUILT_IN.at_all(asked).allowed
            assert BUILT_IN.fields_of(asked) is None
            assert BUILT_IN.looks_at(asked) == frozenset()
    assert (BUILT_IN.version, BUILT_IN.bulk_limit, BUILT_IN.sweep, BUILT_IN.budget_of(roles)) == (
        0,
        None,
        Sweep(1_000, 5),
        Budget(),
    )
    assert (BUILT_IN.warnings, BUILT_IN.decoys_freeze) == ((), False)


def test_a_document_without_rules_allows_nothing() -> None:
    none = read("format = 1")
    for operation in OPERATIONS:
        asked = Situation(none.roles_of("key_1", ["everything"]), operation, "service", VIEWS[0])
        assert not none.judge(asked, Row("phone")).allowed
        assert none.fields_of(asked) == frozenset()


def test_what_is_probably_not_meant_is_told() -> None:
    text = """format = 1
[networks]
unused = ["10.0.0.0/8"]
[roles.a]
includes = ["b"]
[[roles.a.allow]]
operations = ["find", "list"]
fields = ["*"]
[[roles.a.allow]]
operations = ["find"]
fields = ["phone"]
when = { tags = ["vip"] }
[roles.b]
[roles.c]
[callers]
"*" = ["a"]
"""
    assert [(remark.line, remark.verdict, remark.words[:34]) for remark in read(text).warnings] == [
        (3, "warning", "no rule names this network"),
        (9, "warning", "the rule on line 6 allows all of t"),
        (14, "warning", "no caller, claim or certificate he"),
    ]
