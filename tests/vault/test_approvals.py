"""Two people: proposals bound to exactly one action, approved by another person, used once; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault.conftest import ON_SQLITE, Shop
from vault import approvals, freezing
from vault.approvals import VALID_SECONDS, Proposal, bulk, digest
from vault.audit import leaf
from vault.columns import Actor, Grounds
from vault.errors import (
    ApprovalNotValid,
    ApprovalRequired,
    InvalidRequest,
    SelfApproval,
    UnknownProposal,
    VaultError,
)
from vault.store import apikeys
from vault.store.writer import Transaction

T = TypeVar("T")
ACTION, DIGEST, SUMMARY = "reveal", digest("reveal", {"what": "this"}), "reveal 3 tokens"


class Desk:
    """The callers of a shop, each with an API key of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.keys = shop, shop.resources.keyring.keys(shop.actor.tenant)
        self.ann, self.bob, self.eve = (self.caller(name) for name in ("ann", "bob", "eve"))

    def caller(
        self, name: str, made_by: Actor | None = None, operations: tuple[str, ...] = ("approve",)
    ) -> Actor:
        record, _ = self.shop.vault.create_api_key(self.shop.actor, name, ["reveal", *operations])
        maker = None if made_by is None else made_by.name
        with self.shop.resources.database.engine.begin() as connection:
            mark = "?" if connection.dialect.name == "sqlite" else "%s"
            connection.exec_driver_sql(
                f"UPDATE api_key SET made_by = {mark} WHERE id = {mark}", (maker, record.id)
            )
        return replace(self.shop.actor, name=record.id)

    def write(self, work: Callable[[Transaction], T]) -> T:
        return self.shop.resources.database.write(work)

    def asked(
        self, who: Actor, approval: str | None = None, bound: bytes = DIGEST, needed: int = 2
    ) -> Proposal:
        actor = replace(who, approval=approval)
        return self.write(lambda t: approvals.use(t, self.keys, actor, ACTION, bound, SUMMARY, needed=needed))

    def proposed(self, who: Actor, bound: bytes = DIGEST, needed: int = 2) -> str:
        with pytest.raises(ApprovalRequired) as raised:
            self.asked(who, bound=bound, needed=needed)
        assert raised.value.approved == 1
        return raised.value.proposal

    def approved(self, who: Actor, proposal: str) -> Proposal:
        return self.write(lambda t: approvals.approve(t, self.keys, who, proposal))

    def records(self) -> list[tuple[str, str, str, str]]:
        with self.shop.resources.database.read() as connection:
            leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id").scalars()
            told = [leaf.decode(bytes(one)) for one in leaves]
        return [(one.actor, one.operation, one.result, one.target) for one in told]


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def refused(kind: type[VaultError], work: Callable[[], object]) -> str:
    with pytest.raises(kind) as raised:
        work()
    return str(raised.value)


def test_an_action_is_done_once_another_person_approved_it(desk: Desk) -> None:
    proposal = desk.proposed(desk.ann)
    assert desk.proposed(desk.ann) == proposal  # asking again makes no other one
    assert desk.approved(desk.bob, proposal).approved == 2
    with pytest.raises(ApprovalRequired) as raised:
        desk.asked(desk.ann)  # approved, and still to be named
    assert (raised.value.proposal, raised.value.approved, raised.value.needed) == (proposal, 2, 2)
    used = desk.asked(desk.ann, proposal)
    assert (used.id, used.approved, used.summary, used.author) == (proposal, 2, SUMMARY, desk.ann.name)
    assert refused(ApprovalNotValid, lambda: desk.asked(desk.ann, proposal)) == "the proposal is used"
    assert desk.proposed(desk.ann) != proposal
    assert [one[1:] for one in desk.records() if one[3] == proposal] == [
        ("propose", "ok", proposal), ("approve", "ok", proposal), ("use_approval", "ok", proposal),
        ("use_approval", "approval_not_valid", proposal),
    ]  # fmt: skip


@ON_SQLITE
def test_nobody_approves_their_own(desk: Desk) -> None:
    proposal = desk.proposed(desk.ann)
    child = desk.caller("child", made_by=desk.ann)
    grandchild = desk.caller("grandchild", made_by=child)
    for caller in (desk.ann, child, grandchild):
        refused(SelfApproval, lambda caller=caller: desk.approved(caller, proposal))
    refused(SelfApproval, lambda: desk.approved(desk.ann, desk.proposed(grandchild)))  # the other way round
    told = desk.records()
    assert (grandchild.name, "approve", "self_approval", proposal) in told
    refused(ApprovalNotValid, lambda: desk.asked(desk.ann, proposal))
    sibling = desk.caller("sibling", made_by=child)
    assert desk.approved(sibling, desk.proposed(grandchild)).approved == 2


@ON_SQLITE
def test_keys_that_made_each_other_count_as_one_approver(desk: Desk) -> None:
    proposal = desk.proposed(desk.ann, needed=3)
    child = desk.caller("child", made_by=desk.bob)
    desk.approved(desk.bob, proposal)
    assert desk.approved(desk.bob, proposal).approved == 2
    assert desk.approved(child, proposal).approved == 2
    assert desk.approved(desk.eve, proposal).approved == 3
    desk.asked(desk.ann, proposal, needed=3)


@ON_SQLITE
def test_an_approval_is_for_its_author_and_its_action_alone(desk: Desk) -> None:
    proposal = desk.proposed(desk.ann)
    desk.approved(desk.bob, proposal)
    other = digest("reveal", {"what": "that"})
    for who, named, bound in (
        (desk.eve, proposal, DIGEST), (desk.bob, proposal, DIGEST), (desk.ann, proposal, other),
        (desk.ann, "apr_" + "0" * 16, DIGEST), (replace(desk.ann, tenant=desk.shop.tests.tenant), proposal, DIGEST),
    ):  # fmt: skip
        refused(ApprovalNotValid, lambda who=who, named=named, bound=bound: desk.asked(who, named, bound))
    with pytest.raises(ApprovalNotValid):
        desk.write(
            lambda t: approvals.use(
                t, desk.keys, replace(desk.ann, approval=proposal), "erase", DIGEST, SUMMARY
            )
        )
    desk.asked(desk.ann, proposal)


@pytest.mark.parametrize("ended", ["revoked", "expired", "frozen", "unfit"])
@ON_SQLITE
def test_an_approval_of_a_caller_that_ended_since_does_not_count(desk: Desk, ended: str) -> None:
    operations = () if ended == "unfit" else ("approve",)
    approver = desk.caller("approver", operations=operations)
    proposal = desk.proposed(desk.ann)
    assert desk.approved(approver, proposal).approved == (1 if ended == "unfit" else 2)
    if ended == "revoked":
        desk.shop.vault.revoke_api_key(desk.shop.actor, approver.name)
    elif ended == "expired":
        tenant, key = approver.tenant, approver.name
        desk.write(lambda t: apikeys.end(t, tenant, key, revoked_at=None, expires_at=t.now))
    elif ended == "frozen":
        desk.write(lambda t: freezing.freeze(t, desk.keys, desk.bob, approver.name, "suspect"))
    so_far = refused(ApprovalNotValid, lambda: desk.asked(desk.ann, proposal))
    assert so_far == "1 of 2 approve the proposal so far"
    desk.approved(desk.bob, proposal)
    desk.asked(desk.ann, proposal)


def test_it_expires(desk: Desk) -> None:
    proposal, late = desk.proposed(desk.ann), desk.proposed(desk.ann, digest("reveal", {}))
    desk.approved(desk.bob, proposal)
    desk.shop.later(VALID_SECONDS - 5)
    assert desk.proposed(desk.eve)
    desk.shop.later(10)
    assert refused(ApprovalNotValid, lambda: desk.asked(desk.ann, proposal)) == "the proposal is expired"
    refused(ApprovalNotValid, lambda: desk.approved(desk.bob, late))
    assert desk.proposed(desk.ann) != proposal


@ON_SQLITE
def test_it_is_rejected_by_others_and_withdrawn_by_its_author(desk: Desk) -> None:
    one, two = desk.proposed(desk.ann), desk.proposed(desk.ann, digest("reveal", {}))
    desk.approved(desk.bob, one)
    refused(SelfApproval, lambda: desk.write(lambda t: approvals.reject(t, desk.keys, desk.ann, one)))
    gone = desk.write(lambda t: approvals.reject(t, desk.keys, desk.bob, one))
    assert (gone.state, gone.approved) == ("rejected", 1)
    refused(UnknownProposal, lambda: desk.write(lambda t: approvals.withdraw(t, desk.keys, desk.bob, two)))
    assert desk.write(lambda t: approvals.withdraw(t, desk.keys, desk.ann, two)).state == "withdrawn"
    for proposal in (one, two):
        refused(ApprovalNotValid, lambda proposal=proposal: desk.asked(desk.ann, proposal))
        refused(ApprovalNotValid, lambda proposal=proposal: desk.approved(desk.eve, proposal))


def test_one_approval_is_used_once_by_many_requests_at_once(desk: Desk) -> None:
    proposal = desk.proposed(desk.ann)
    desk.approved(desk.bob, proposal)
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        try:
            outcomes.append(desk.asked(desk.ann, proposal).id)
        except ApprovalNotValid as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted([proposal] + ["approval_not_valid"] * 7)


def test_the_same_asked_by_many_at_once_is_one_proposal(desk: Desk) -> None:
    made: list[str] = []
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        made.append(desk.proposed(desk.ann))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1
    assert desk.shop.count("proposal") == 1


@ON_SQLITE
def test_an_author_has_so_many_at_once(desk: Desk) -> None:
    def propose(transaction: Transaction) -> None:
        for number in range(approvals.MAX_OPEN):
            bound = digest("reveal", {"number": number})
            approvals.propose(transaction, desk.keys, desk.ann, ACTION, bound, SUMMARY)

    desk.write(propose)
    refused(InvalidRequest, lambda: desk.asked(desk.ann))
    assert desk.proposed(desk.bob)


def test_a_digest_is_of_exactly_this() -> None:
    whole = {"a": "1", "b": [1, None, True], "c": {"d": b"x"}}
    assert digest("reveal", whole) == digest("reveal", dict(reversed(whole.items())))
    for other in (
        {**whole, "a": 1}, {**whole, "a": b"1"}, {**whole, "b": [1, None, 1]}, {**whole, "b": [True, 1, None]},
        {**whole, "c": {}}, {**whole, "e": None}, {"a": "1", "b": [1, None, True]}, {**whole, "b": ["1", None, True]},
    ):  # fmt: skip
        assert digest("reveal", other) != digest("reveal", whole)
    assert digest("erase", whole) != digest("reveal", whole)
    assert digest("r", {"ab": "c"}) != digest("r", {"a": "bc"})
    with pytest.raises(TypeError):
        digest("reveal", {"a": 1.5})


_PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(
    st.dictionaries(st.text(max_size=3), _PARTS, max_size=3),
    st.dictionaries(st.text(max_size=3), _PARTS, max_size=3),
)
def test_two_actions_have_two_digests(one: dict[str, object], other: dict[str, object]) -> None:
    alike = repr(_in_order(one)) == repr(_in_order(other))  # which tells True from 1, as == does not
    assert (digest("x", one) == digest("x", other)) is alike


def _in_order(part: object) -> object:
    if isinstance(part, dict):
        return {name: _in_order(part[name]) for name in sorted(part)}
    return [_in_order(value) for value in part] if isinstance(part, list) else part


def test_a_bulk_reveal_is_bound_to_all_of_it_and_its_summary_tells_no_token() -> None:
    tokens = ["tok_live_canary_one", "tok_live_canary_two", 7]
    action, bound, summary = bulk(
        tokens, ["phone", "email", "phone"], "legal", "full", None, True, Grounds(case="A-1")
    )
    assert (action, summary) == (
        "reveal",
        "reveal 3 tokens (email, phone) in view full and metadata for legal, case A-1",
    )
    for other in (
        bulk(tokens[:2], ["phone"], "legal", "full", None, True, Grounds(case="A-1")),
        bulk([tokens[1], tokens[0], 7], ["phone"], "legal", "full", None, True, Grounds(case="A-1")),
        bulk(tokens, ["phone"], "risk", "full", None, True, Grounds(case="A-1")),
        bulk(tokens, ["phone"], "legal", "last4", None, True, Grounds(case="A-1")),
        bulk(tokens, ["phone"], "legal", "full", "phone", True, Grounds(case="A-1")),
        bulk(tokens, ["phone"], "legal", "full", None, False, Grounds(case="A-1")),
        bulk(tokens, ["phone"], "legal", "full", None, True, Grounds(case="A-2")),
        bulk(tokens, ["phone"], "legal", "full", None, True, Grounds(case="A-1", subject="customer-1")),
    ):  # fmt: skip
        assert other[1] != bound
