"""Published numbers: GB 11643, GB 32100, sandbox cards."""

from __future__ import annotations

from typing import Any

import pytest

from vault.errors import InvalidValue
from vault.fields import bank_card, resident_id, uscc

IDS, CODES, CARDS = "cn-ids/gb11643_resident_id.json", "cn-ids/gb32100_uscc.json", "cn-ids/test_pans.json"
NETWORKS = ("unionpay_stripe", "unionpay_braintree", "other_networks")


@pytest.mark.vectors(IDS, "valid")
def test_a_published_resident_id_is_its_own_canonical_form(case: dict[str, str]) -> None:
    assert resident_id.normalize(case["id"]) == case["id"]
    assert resident_id.normalize(case["id"].lower()) == case["id"]


@pytest.mark.vectors(IDS, "invalid")
def test_a_wrong_resident_id_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        resident_id.normalize(case["id"])


@pytest.mark.vectors(CODES, "valid")
def test_a_published_credit_code_is_its_own_canonical_form(case: dict[str, str]) -> None:
    assert uscc.normalize(case["code"]) == case["code"]
    assert uscc.normalize(case["code"].lower()) == case["code"]


@pytest.mark.vectors(CODES, "invalid")
def test_a_wrong_credit_code_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        uscc.normalize(case["code"])


@pytest.mark.vectors(CARDS, *NETWORKS)
def test_a_sandbox_card_is_its_own_canonical_form(case: dict[str, Any]) -> None:
    assert bank_card.normalize(case["pan"]) == case["pan"]
    assert len(case["pan"]) == case["len"]


def test_no_case_was_lost(vectors: Any) -> None:
    ids, codes, cards = vectors(IDS), vectors(CODES), vectors(CARDS)
    assert (len(ids["valid"]), len(ids["invalid"])) == (5, 11)
    assert (len(codes["valid"]), len(codes["invalid"])) == (65, 5)
    assert sum(len(cards[network]) for network in NETWORKS) == 18
