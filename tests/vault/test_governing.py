"""Policies checked, approved by a second person, taken and explained, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.vault.conftest import ON_SQLITE, Shop
from vault.audit import leaf
from vault.columns import Actor
from vault.errors import (
    ApprovalNotValid,
    ApprovalRequired,
    InvalidRequest,
    PolicyConflict,
    PolicyDenied,
    PolicyInvalid,
    SelfApproval,
    UnknownApiKey,
    UnknownField,
    UnknownPolicyVersion,
    UnknownProposal,
)
from vault.explaining import Question
from vault.governing import Governing
from vault.taking import PolicyVersion

HEAD = """format = 1

[roles.officer]
[[roles.officer.allow]]
operations = ["policy", "approve", "apikeys", "callers"]

[roles.clerk]
[[roles.clerk.allow]]
operations = ["reveal"]
fields = ["phone"]
purposes = ["service"]
view = "masked"
[[roles.clerk.deny]]
fields = ["phone"]
when = { tags = ["vip"] }

[callers]
"""


class Office:
    """A shop with two officers and a clerk."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.governance = shop, shop.vault.governance
        self.ann, self.bob = (self.caller(name, "policy", "approve") for name in ("ann", "bob"))
        self.clerk = self.caller("clerk", "reveal", fields=["phone"])

    def caller(self, name: str, *operations: str, fields: list[str] | None = None) -> Actor:
        record, _ = self.shop.vault.create_api_key(self.shop.actor, name, operations, fields)
        return replace(self.shop.actor, name=record.id)

    def document(self, *officers: Actor, more: str = "") -> str:
        named = "".join(f'"{one.name}" = ["officer"]\n' for one in officers or (self.ann, self.bob))
        return f'{HEAD}{named}"{self.clerk.name}" = ["clerk"]\n{more}'

    def propose(self, document: str, base: int = 0, who: Actor | None = None) -> str:
        with pytest.raises(ApprovalRequired) as raised:
            self.governance.take_policy(who or self.ann, document, base)
        return raised.value.proposal

    def take(self, document: str, base: int = 0) -> PolicyVersion:
        proposal = self.propose(document, base)
        self.governance.approve(self.bob, proposal)
        return self.governance.take_policy(replace(self.ann, approval=proposal), document, base)


@pytest.fixture
def office(shop: Shop) -> Office:
    return Office(shop)


def records(shop: Shop) -> list[tuple[str, str, str, int]]:
    with shop.resources.database.read() as connection:
        leaves = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id").scalars()
        told = [leaf.decode(bytes(one)) for one in leaves]
    return [(one.operation, one.result, one.target, one.policy) for one in told]


def test_a_policy_is_in_force_once_a_second_person_approved_it(office: Office, shop: Shop) -> None:
    document = office.document()
    assert office.governance.policy(office.ann).version == 0
    proposal = office.propose(document)
    shown = office.governance.proposal(office.bob, proposal)
    assert (shown.document, shown.approved, shown.needed, shown.action) == (document, 1, 2, "take_policy")
    assert shown.summary.startswith("take policy version 1: ")
    assert "clerk" in shown.summary
    with pytest.raises(SelfApproval):
        office.governance.approve(office.ann, proposal)
    assert office.governance.policy(office.ann).version == 0
    office.governance.approve(office.bob, proposal)
    taken = office.governance.take_policy(replace(office.ann, approval=proposal), document, 0)
    assert (taken.version, taken.author, taken.proposal) == (1, office.ann.name, proposal)
    assert office.governance.policy(office.bob) == taken
    assert ("take_policy", "ok", "1", 0) in records(shop)
    assert shop.count("alarm WHERE kind = 'policy_taken'") == 1
    with pytest.raises(ApprovalNotValid):  # one use
        office.governance.take_policy(replace(office.ann, approval=proposal), document, 0 + 1)


@ON_SQLITE
def test_it_is_in_force_at_once_where_it_was_taken(office: Office, shop: Shop) -> None:
    (token,) = shop.tokenize("phone", "+8613800138000")
    office.take(office.document())
    assert shop.vault.reveal(office.clerk, [token], "service").values == ["+86138****8000"]
    with pytest.raises(PolicyDenied):
        shop.vault.reveal(office.clerk, [token], "service", "full")
    with pytest.raises(PolicyDenied):
        office.governance.policy(office.clerk)
    with pytest.raises(PolicyDenied):
        office.governance.approve(office.clerk, "apr_" + "0" * 16)


@ON_SQLITE
def test_the_approval_is_of_this_text_on_top_of_that_version(office: Office) -> None:
    first, second = office.document(), office.document(more="[bulk]\nlimit = 5\n")
    proposal = office.propose(first)
    office.governance.approve(office.bob, proposal)
    for text in (second, first + "\n", first.replace("masked", "full")):
        with pytest.raises((ApprovalNotValid, PolicyInvalid)):
            office.governance.take_policy(replace(office.ann, approval=proposal), text, 0)
    other = office.propose(second)
    office.governance.approve(office.bob, other)
    office.governance.take_policy(replace(office.ann, approval=proposal), first, 0)
    with pytest.raises(PolicyConflict):  # approved on top of what is no longer in force
        office.governance.take_policy(replace(office.ann, approval=other), second, 0)
    with pytest.raises(ApprovalNotValid):
        office.governance.take_policy(replace(office.ann, approval=other), second, 1)


def test_versions_are_kept_and_an_old_one_is_taken_anew(office: Office) -> None:
    first = office.document()
    office.take(first)
    office.take(office.document(more="[bulk]\nlimit = 5\n"), 1)
    back = office.take(office.governance.policy_version(office.ann, 1).document, 2)
    assert (back.version, back.document) == (3, first)
    page = office.governance.policy_versions(office.bob, limit=2)
    assert [(one.version, one.document) for one in page.versions] == [(3, ""), (2, "")]
    rest = office.governance.policy_versions(office.bob, page.next_cursor, 2)
    assert ([one.version for one in rest.versions], rest.next_cursor) == ([1], None)
    assert office.governance.policy_version(office.bob, 0).author is None
    for number in (4, 2**40):
        with pytest.raises(UnknownPolicyVersion):
            office.governance.policy_version(office.bob, number)
    for bad in ("x", "-1", "9" * 30):
        with pytest.raises(InvalidRequest):
            office.governance.policy_versions(office.bob, bad)


CASE = """
[[cases]]
roles = ["clerk"]
operation = "reveal"
field = "phone"
purpose = "service"
view = "{view}"
expect = "allow"
"""


@ON_SQLITE
def test_what_cannot_be_taken_is_not_even_proposed(office: Office, shop: Shop) -> None:
    good = office.document()
    bad = good.replace('"phone"', '"fone"', 1)
    for document, line in (
        ("format = 2", 1), ("][", 1), (bad, bad[: bad.index("fone")].count("\n") + 1),
        (good + CASE.format(view="full"), good.count("\n") + 2),
    ):  # fmt: skip
        for refused in (
            lambda document=document: office.governance.take_policy(office.ann, document, 0),
            lambda document=document: office.governance.check_policy(office.ann, document),
        ):
            with pytest.raises(PolicyInvalid) as raised:
                refused()
            assert raised.value.line == line, raised.value
    assert shop.count("proposal") == 0
    assert office.governance.policy(office.ann).version == 0
    office.governance.check_policy(office.ann, good + CASE.format(view="masked"))


@ON_SQLITE
def test_no_policy_locks_everybody_out(office: Office, shop: Shop) -> None:
    def locks(document: str) -> bool:
        try:
            office.governance.check_policy(office.ann, document)
        except PolicyInvalid:
            with pytest.raises(PolicyInvalid, match="fewer than two people"):
                office.governance.take_policy(office.ann, document, 0)
            return True
        return False

    assert not locks(office.document())
    assert locks(office.document(office.ann))
    ghost = replace(office.ann, name="key_0123456789abcdef")
    assert locks(office.document(office.ann, ghost))
    weak = office.caller("weak", "reveal")  # its API key cannot, whatever its role says
    assert locks(office.document(office.ann, weak))
    shop.vault.revoke_api_key(shop.actor, weak.name)
    assert locks(office.document(more='[[deny]]\noperations = ["approve"]\n'))
    office_hours = '[[deny]]\noperations = ["approve"]\nwhen = { hours = "20:00-08:00", zone = "UTC" }\n'
    assert not locks(office.document(more=office_hours))
    other_mode = '[[deny]]\noperations = ["approve"]\nwhen = { modes = ["test"] }\n'
    assert not locks(office.document(more=other_mode))
    claims = '[[claims]]\nissuer = "https://login.example"\nclaim = "groups"\nvalue = "officers"\nroles = ["officer"]\n'
    assert not locks(office.document(office.ann, more=claims))
    certificate = '[[certificates]]\nname = "spiffe://shop.example/officer"\nroles = ["officer"]\n'
    assert not locks(office.document(office.ann, more=certificate))
    shop.vault.revoke_api_key(shop.actor, office.bob.name)
    assert locks(office.document())
    assert locks(office.document(weak, more=certificate))
    assert not locks(office.document(weak, more=claims))


@ON_SQLITE
def test_who_lost_every_key_gets_two_people_from_the_machine(office: Office, shop: Shop) -> None:
    office.take(office.document())
    for one in (office.bob, office.ann):
        shop.vault.revoke_api_key(office.ann, one.name)
    records = [shop.vault.bootstrap("shop", again=True)["live"][0] for _ in range(2)]
    ann, bob = (replace(shop.actor, name=one.id, roles=frozenset(one.roles)) for one in records)
    assert ann.roles == {"officer"}  # and not what a clerk may see
    office.ann, office.bob = ann, bob
    assert office.take(office.document(), 1).version == 2


@ON_SQLITE
def test_keys_that_made_each_other_are_no_two_people(office: Office, shop: Shop) -> None:
    maker = office.caller("maker", "policy", "approve", "apikeys")
    child, _ = shop.vault.create_api_key(maker, "child", ["policy", "approve"])
    turned, _ = shop.vault.rotate_api_key(maker, maker.name, 3600)
    mine = [replace(maker, name=child.id), replace(maker, name=turned.id)]
    for who in mine:
        with pytest.raises(PolicyInvalid):
            office.governance.check_policy(office.ann, office.document(maker, who))
    proposal = office.propose(office.document(), who=maker)
    for who in mine:
        with pytest.raises(SelfApproval):
            office.governance.approve(who, proposal)
    (warned,) = office.governance.check_policy(
        office.ann, office.document(office.ann, office.bob, maker)
    ).warnings
    assert (warned.line, maker.name in warned.words) == (
        0,
        True,
    )  # who can make keys can make a second person


def test_of_two_taken_at_once_one_is(office: Office, shop: Shop) -> None:
    documents = [office.document(more=f"[bulk]\nlimit = {limit}\n") for limit in (5, 6)]
    proposals = [office.propose(one) for one in documents]
    for proposal in proposals:
        office.governance.approve(office.bob, proposal)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def take(at: int) -> None:
        start.wait()
        try:
            office.governance.take_policy(replace(office.ann, approval=proposals[at]), documents[at], 0)
            outcomes.append("taken")
        except PolicyConflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=take, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "taken"]
    assert shop.count("policy") == 1
    assert shop.count("proposal WHERE state = 'open'") == 1  # the other was not used up


@ON_SQLITE
def test_a_check_tells_what_would_change(office: Office) -> None:
    office.take(office.document())
    more = (
        office.document()
        .replace("masked", "full")
        .replace('view = "full"', 'view = "full"\nreason = "asked for"')
    )
    found = office.governance.check_policy(office.ann, more + "[roles.idle]\n")
    assert any("clerk" in line and "full" in line for line in found.differences)
    assert [(one.line, one.text) for one in found.warnings] == [(more.count("\n") + 1, "[roles.idle]")]
    assert any("clerk" in line for line in office.governance.policy_difference(office.ann, None, more))
    assert office.governance.policy_difference(office.ann, 1, 1) == []
    assert office.governance.policy_difference(office.ann, 1, 0)


def ask(**more: object) -> Question:
    given = {
        "operation": "reveal", "caller": None, "roles": frozenset(), "field": "phone", "purpose": "service",
        "view": None, "at": 1_900_000_000.0, **more,
    }  # fmt: skip
    return Question(**given)  # type: ignore[arg-type]


@ON_SQLITE
def test_it_explains_by_which_line(office: Office) -> None:
    document = office.document()
    office.take(document)
    lines = document.splitlines()
    allow, deny = lines.index("[[roles.clerk.allow]]") + 1, lines.index("[[roles.clerk.deny]]") + 1
    found = office.governance.explain(office.ann, ask(caller=office.clerk.name))
    assert (found.allowed, found.line, found.roles) == (True, allow, ("clerk",))
    assert [(one.line, one.text) for one in found.said if one.verdict == "allows"] == [
        (allow, lines[allow - 1])
    ]
    found = office.governance.explain(office.ann, ask(caller=office.clerk.name, tags=frozenset({"vip"})))
    assert (found.allowed, found.line) == (False, deny)
    found = office.governance.explain(office.ann, ask(caller=office.clerk.name, view="full"))
    assert (found.allowed, found.line) == (False, 0)
    assert any("reveal_plain" in one.words for one in found.said)
    found = office.governance.explain(office.ann, ask(roles=frozenset({"clerk"}), field="email"))
    assert (found.allowed, found.line) == (False, 0)


@ON_SQLITE
def test_an_api_keys_own_bounds_stand_beside_the_policy(office: Office) -> None:
    office.take(office.document().replace('fields = ["phone"]\npurposes', 'fields = ["*"]\npurposes'))
    found = office.governance.explain(office.ann, ask(caller=office.clerk.name, field="email"))
    assert (found.allowed, found.line) == (False, 0)
    assert "the API key does not reach the field" in [one.words for one in found.said]
    assert found.said[-1].verdict == "denied"


@ON_SQLITE
def test_who_may_do_nothing_is_explained_as_such(office: Office, shop: Shop) -> None:
    office.take(office.document())
    governance = office.governance
    assert governance.explain(office.ann, ask(caller=office.clerk.name)).allowed
    governance.freeze(office.ann, office.clerk.name, "left")
    found = governance.explain(office.ann, ask(caller=office.clerk.name))
    assert (found.allowed, found.line, found.said[-1].verdict) == (False, 0, "denied")
    assert "the caller is frozen" in [one.words for one in found.said]
    governance.unfreeze(office.ann, office.clerk.name)
    shop.vault.revoke_api_key(office.ann, office.clerk.name)
    found = governance.explain(office.ann, ask(caller=office.clerk.name))
    assert (found.allowed, found.said[-2].words) == (False, "the API key is revoked")
    short, _ = shop.vault.create_api_key(office.ann, "short", ["reveal"], expires_in=10)
    shop.later(10)
    found = governance.explain(office.ann, ask(caller=short.id))
    assert (found.allowed, found.said[-2].words) == (False, "the API key has expired")


@ON_SQLITE
def test_it_explains_reveal_plain_as_what_it_is(office: Office) -> None:
    office.take(office.document().replace('view = "masked"', 'view = "full"\nreason = "calls back"'))
    asked = ask(operation="reveal_plain", roles=frozenset({"clerk"}))
    assert office.governance.explain(office.ann, asked).allowed
    with pytest.raises(InvalidRequest):
        office.governance.explain(office.ann, replace(asked, field=None))


@ON_SQLITE
@pytest.mark.parametrize("caller", ["oidc:login.example#1", "cert:dns:x.example"])
def test_without_a_policy_who_carries_nothing_is_explained_as_denied(office: Office, caller: str) -> None:
    found = office.governance.explain(office.ann, ask(caller=caller))
    assert (found.allowed, found.roles) == (False, ())


@ON_SQLITE
def test_an_explanation_says_what_it_does_not_know(office: Office) -> None:
    claim = '[[claims]]\nissuer = "https://login.example"\nclaim = "groups"\nvalue = "x"\nroles = ["clerk"]\n'
    certificate = '[[certificates]]\nname = "dns:x.example"\nroles = ["clerk"]\n'
    office.take(office.document(more=claim + certificate))
    for caller, words in (("oidc:login.example#ada", "claims"), ("cert:dns:y.example", "other names")):
        found = office.governance.explain(office.ann, ask(caller=caller))
        assert not found.allowed
        assert any(words in one.words for one in found.said if one.verdict == "note")
    asked = Question("logins", None, frozenset({"officer"}), None, None, None, 0.0)
    assert any(
        "reveal login_record" in one.words for one in office.governance.explain(office.ann, asked).said
    )


@ON_SQLITE
def test_what_cannot_be_asked(office: Office) -> None:
    for question, kind in (
        (ask(operation="fly", roles=frozenset()), InvalidRequest), (ask(roles=frozenset({"king"})), InvalidRequest),
        (ask(field=None), InvalidRequest), (ask(purpose=None), InvalidRequest), (ask(purpose="fun"), InvalidRequest),
        (ask(field="fone"), UnknownField), (ask(network="here"), InvalidRequest),
        (ask(operation="policy", purpose=None), InvalidRequest), (ask(operation="delete"), InvalidRequest),
        (ask(caller="key_0123456789abcdef"), UnknownApiKey),
    ):  # fmt: skip
        with pytest.raises(kind):
            office.governance.explain(office.ann, question)


@ON_SQLITE
def test_the_operators_own_table_is_run(office: Office) -> None:
    good, bad = CASE.format(view="masked"), CASE.format(view="full")
    office.take(office.document(more=good))
    assert [one.ok for one in office.governance.test_policy(office.ann)] == [True]
    both = office.governance.test_policy(office.ann, office.document(more=good + bad))
    assert [(one.ok, one.expected, one.allowed) for one in both] == [(True, True, True), (False, True, False)]
    assert both[1].line > both[0].line


def test_proposals_are_listed_by_state(office: Office, shop: Shop) -> None:
    for limit in range(1, 6):
        office.propose(office.document(more=f"[bulk]\nlimit = {limit}\n"))
    page = office.governance.proposals(office.bob, limit=2)
    seen = [one.id for one in page.proposals]
    while page.next_cursor:
        page = office.governance.proposals(office.bob, cursor=page.next_cursor, limit=2)
        seen += [one.id for one in page.proposals]
    assert len(set(seen)) == len(seen) == 5
    office.governance.reject(office.bob, seen[0])
    office.governance.withdraw(office.ann, seen[1])
    with pytest.raises(UnknownProposal):
        office.governance.withdraw(office.bob, seen[2])
    count: Callable[[str], int] = lambda state: len(office.governance.proposals(office.bob, state).proposals)  # noqa: E731
    assert [count(state) for state in ("open", "rejected", "withdrawn", "used", "expired")] == [3, 1, 1, 0, 0]
    shop.later(86_400)
    assert [count(state) for state in ("open", "expired")] == [0, 3]
    for bad in ("x", "1-", "1" * 20 + "-apr_0", "1-\0", "1-\ud800"):
        with pytest.raises(InvalidRequest):
            office.governance.proposals(office.bob, cursor=bad)
    for state, limit in (("won", 1), (None, 0), (None, 1_001)):
        with pytest.raises(InvalidRequest):
            office.governance.proposals(office.bob, state, limit=limit)


@ON_SQLITE
def test_another_tenants_policy_and_proposals_are_not_seen(office: Office, shop: Shop) -> None:
    proposal = office.propose(office.document())
    stranger = replace(office.bob, tenant=shop.tests.tenant, mode="test")
    for step in (office.governance.proposal, office.governance.approve, office.governance.reject):
        with pytest.raises(UnknownProposal):
            step(stranger, proposal)
    office.governance.approve(office.bob, proposal)
    office.governance.take_policy(replace(office.ann, approval=proposal), office.document(), 0)
    assert office.governance.policy(stranger).version == 0


@ON_SQLITE
def test_every_process_sees_it_within_a_second(office: Office, shop: Shop) -> None:
    now = [0.0]
    elsewhere = replace(shop.resources, monotonic=lambda: now[0])
    assert elsewhere.policies.of(shop.actor.tenant).version == 0
    office.take(office.document())
    now[0] += 1.0
    assert elsewhere.policies.of(shop.actor.tenant).version == 1
    assert Governing(elsewhere).policy(office.bob).version == 1
