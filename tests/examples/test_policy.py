"""The examples of a policy and of callers can be taken as they are, but for the names in them."""

from pathlib import Path

from api.callers import document as callers
from vault.policy import document

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_policy_is_good_and_leaves_nothing_to_remark() -> None:
    policy = document.read((EXAMPLES / "policy.toml").read_text("utf-8"))
    assert policy.warnings == ()
    assert [good for _, _, good in policy.run_cases()] == [True, True, True]


def test_the_policy_gives_roles_by_the_claims_that_the_file_of_callers_lets_through() -> None:
    policy = document.read((EXAMPLES / "policy.toml").read_text("utf-8"))
    told = {
        (one.issuer, claim) for one in callers.load(EXAMPLES / "callers.toml").issuers for claim in one.claims
    }
    assert {tuple(grant.name.split("#")) for grant in policy.holders.claims} == told
