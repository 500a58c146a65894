"""The policy is asked by every operation, whichever door it came through; a refusal is on record."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.vault.conftest import ON_SQLITE, Shop, limited
from tests.vault.enforcing import enforce, records
from vault import index
from vault.columns import Actor, AlreadyDone, Column, Grounds, Remember, Reply, Spec
from vault.credentials import Import, Login, LoginPage, Origin
from vault.errors import (
    ApprovalNotValid,
    ApprovalRequired,
    BudgetExceeded,
    CaseRequired,
    ConsentRequired,
    FieldNotGranted,
    IdempotencyKeyReused,
    InvalidRequest,
    PasswordExists,
    PolicyDenied,
    PolicyUnreadable,
    UnknownLogin,
    UnknownToken,
    VaultError,
)
from vault.policybook import PolicyBook
from vault.service import Vault

CARD, PHONE, MAIL = "4111111111111111", "+8613800138000", "zhang.san@example.com"
EMPTY = "format = 1\n"
CLERK = """
format = 1
[roles.clerk]
label = "Front office"
[[roles.clerk.allow]]
operations = ["tokenize", "describe", "list", "find", "delete", "erase"]
fields = ["phone", "email", "login_record"]
[[roles.clerk.allow]]
operations = ["reveal", "compare"]
fields = ["phone", "email"]
purposes = ["service", "legal", "market"]
view = "masked"
[[deny]]
operations = ["reveal", "compare", "describe", "list", "find", "delete", "erase"]
when = { tags = ["legal_hold"] }
[callers]
"key_0" = ["clerk"]
"""

GENEROUS = """format = 1
[roles.all]
budget = { hour = 5 }
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "tests"
[bulk]
limit = 3
[callers]
"*" = ["all"]
"""

TOKEN = "tok_live_" + "0" * 35
LOGIN = Login(subject="customer-1")
CALLS: dict[str, Callable[[Vault, Actor], object]] = {
    "tokenize": lambda v, a: v.tokenize(a, [Column("phone", [PHONE])]),
    "reveal": lambda v, a: v.reveal(a, [TOKEN], "service"),
    "compare": lambda v, a: v.compare(a, [TOKEN], [PHONE], "service"),
    "describe": lambda v, a: v.describe(a, [TOKEN]),
    "find": lambda v, a: v.find(a, "phone", [PHONE]),
    "list_tokens": lambda v, a: v.list_tokens(a),
    "delete": lambda v, a: v.delete(a, [TOKEN]),
    "erase": lambda v, a: v.erase(a, "customer-1"),
    "store_password": lambda v, a: v.store_password(a, LOGIN, "a lamp, a kite, two rivers"),
    "verify_password": lambda v, a: v.verify_password(a, LOGIN, "a lamp, a kite, two rivers"),
    "change_password": lambda v, a: v.change_password(a, LOGIN, "a lamp, a kite", "a lamp, two rivers"),
    "reset_password": lambda v, a: v.reset_password(a, LOGIN, "a lamp, a kite, two rivers"),
    "delete_password": lambda v, a: v.delete_password(a, LOGIN),
    "unlock_login": lambda v, a: v.unlock_login(a, LOGIN),
    "import_passwords": lambda v, a: v.import_passwords(a, Import([LOGIN], ["x"], None, None, False)),
    "password_status": lambda v, a: v.password_status(a),
    "log_ins": lambda v, a: v.log_ins(a, LOGIN, "service"),
    "create_api_key": lambda v, a: v.create_api_key(a, "another", ["reveal"]),
    "list_api_keys": lambda v, a: v.list_api_keys(a),
    "revoke_api_key": lambda v, a: v.revoke_api_key(a, "key_1"),
    "rotate_api_key": lambda v, a: v.rotate_api_key(a, "key_1", 0),
    "keysets": lambda v, a: v.keysets(a),
    "keyset": lambda v, a: v.keyset(a, "seal"),
    "rotate_keyset": lambda v, a: v.rotate_keyset(a, "seal"),
    "compromise_key": lambda v, a: v.compromise_key(a, "0" * 16),
    "disable_key": lambda v, a: v.disable_key(a, "0" * 16),
    "enable_key": lambda v, a: v.enable_key(a, "0" * 16),
    "destroy_key": lambda v, a: v.destroy_key(a, "0" * 16),
    "cancel_destruction": lambda v, a: v.cancel_destruction(a, "0" * 16),
    "roots": lambda v, a: v.roots(a),
    "move_root": lambda v, a: v.move_root(a, "memory"),
    "rotate_root": lambda v, a: v.rotate_root(a, "memory"),
    "rewrap": lambda v, a: v.rewrap(a, "memory"),
    "job": lambda v, a: v.job(a, "job_0"),
    "jobs": lambda v, a: v.jobs(a),
}  # fmt: skip
# What refuses by itself, or only says what another call asks for.
OTHERS = {"record_refusal", "cancelling", "cancel_job"}


def person(shop: Shop, subject: str) -> bytes:
    """Return a person's digest."""
    from keys.keyset import Purpose

    route = shop.resources.keyring.keys(shop.actor.tenant).primary(Purpose.ROUTE)
    return index.subject_digests(route, shop.actor.tenant, [subject])[0]


def codes(errors: dict[int, VaultError]) -> dict[int, str]:
    return {at: error.code for at, error in errors.items()}


def test_every_call_asks_the_policy_first_and_a_refusal_is_on_record(shop: Shop) -> None:
    takes_actor = {
        name
        for name, call in inspect.getmembers(Vault, inspect.isfunction)
        if not name.startswith("_") and "actor" in inspect.signature(call).parameters
    }
    assert takes_actor == CALLS.keys() | OTHERS, "a new call is to be tried here"
    job = shop.vault.rotate_keyset(shop.actor, "index")
    version = enforce(shop, EMPTY)
    calls = {**CALLS, "cancel_job": lambda v, a: v.cancel_job(a, job.id)}
    before = len(records(shop))
    for name, call in calls.items():
        with pytest.raises(PolicyDenied):
            call(shop.vault, shop.actor)
        told = records(shop)
        assert len(told) == before + 1, name
        assert (told[-1].result, told[-1].policy, told[-1].count) == ("policy_denied", version, 0), name
        before = len(told)


def test_rows_that_are_denied_are_refused_one_by_one_or_left_out(shop: Shop) -> None:
    (phone,) = shop.tokenize("phone", PHONE)
    (held,) = shop.tokenize("phone", "+8613800138001", tags=("legal_hold", "vip"))
    (card,) = shop.tokenize("bank_card", CARD)
    enforce(shop, CLERK)
    everything = [phone, held, card]
    revealed = shop.vault.reveal(shop.actor, everything, "service")
    assert revealed.values == ["+86138****8000", None, None]
    assert codes(revealed.errors) == {1: "policy_denied", 2: "policy_denied"}
    compared = shop.vault.compare(shop.actor, everything, [PHONE, "+8613800138001", CARD], "service")
    assert compared.matches == [True, None, None]
    assert codes(compared.errors) == {1: "policy_denied", 2: "policy_denied"}
    described = shop.vault.describe(shop.actor, everything)
    assert [one and one.token for one in described.tokens] == [phone, None, None]
    assert [one.token for one in shop.vault.list_tokens(shop.actor).tokens] == [phone]
    assert shop.vault.find(shop.actor, "phone", [PHONE, "+8613800138001"]).matches == [[phone], []]
    with pytest.raises(PolicyDenied):
        shop.vault.find(shop.actor, "bank_card", [CARD])
    deleted = shop.vault.delete(shop.actor, everything)
    assert (deleted.deleted, codes(deleted.errors)) == (1, {1: "policy_denied", 2: "policy_denied"})
    assert shop.count("token") == 2


def test_a_page_looks_on_behind_tokens_that_are_not_shown(shop: Shop) -> None:
    hidden = shop.tokenize("phone", *(f"+86138001381{at:02d}" for at in range(20)), tags=("legal_hold",))
    seen = shop.tokenize("phone", *(f"+86138001382{at:02d}" for at in range(5)))
    enforce(shop, CLERK)
    found, cursor = [], None
    while True:
        page = shop.vault.list_tokens(shop.actor, cursor=cursor, limit=2)
        found += [one.token for one in page.tokens]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == sorted(seen)
    assert not set(found) & set(hidden)


def test_a_person_is_erased_whole_or_not_at_all(shop: Shop) -> None:
    shop.tokenize("phone", PHONE, subjects=["customer-1"])
    shop.tokenize("phone", "+8613800138001", subjects=["customer-1"], tags=("legal_hold",))
    shop.tokenize("bank_card", CARD, subjects=["customer-2"])
    clerk = limited(shop.actor, "phone")
    with pytest.raises(FieldNotGranted):
        shop.vault.erase(clerk, "customer-2")
    version = enforce(shop, CLERK)
    with pytest.raises(PolicyDenied):
        shop.vault.erase(shop.actor, "customer-1")
    assert shop.count("token") == 3
    assert shop.count("erasure") == 0
    told = records(shop, "erase")
    assert [one.result for one in told] == ["forbidden_field", "policy_denied"]
    assert told[-1].persons == person(shop, "customer-1")
    assert told[-1].policy == version


def test_values_are_stored_by_field_and_tags(shop: Shop) -> None:
    enforce(
        shop, CLERK + '[[deny]]\noperations = ["tokenize"]\nfields = ["email"]\nwhen = { tags = ["vip"] }\n'
    )
    vip = Column("email", [MAIL], Spec(tags=("vip",)))
    with pytest.raises(PolicyDenied):
        shop.vault.tokenize(shop.actor, [vip])
    results = shop.vault.tokenize(shop.actor, [Column("phone", [PHONE]), vip, Column("bank_card", [CARD])])
    assert results[0].tokens[0]
    assert [results[1].tokens, results[2].tokens] == [[None], [None]]
    assert [codes(one.errors) for one in results] == [{}, {0: "policy_denied"}, {0: "policy_denied"}]
    told = [one.result for one in records(shop, "tokenize")]  # of one commit in any order
    assert told[0] == "policy_denied"
    assert sorted(told[1:]) == ["ok", "policy_denied", "policy_denied"]
    with pytest.raises(InvalidRequest):
        shop.vault.tokenize(shop.actor, [Column("phone", [PHONE], Spec(tags=("Not a tag",)))])


@ON_SQLITE
def test_no_reply_is_told_again_to_who_may_store_less(shop: Shop) -> None:
    enforce(shop, CLERK + '"key_1" = ["other"]\n[roles.other]\n[[roles.other.allow]]\n'
            'operations = ["tokenize"]\nfields = ["*"]\n')  # fmt: skip
    less, more = shop.actor, replace(shop.actor, name="key_1")
    columns = [Column("phone", [PHONE]), Column("bank_card", [CARD])]
    for key, first, second in (("a", more, less), ("b", less, more)):
        kept = Remember(key, b"the same", lambda made: Reply(200, repr(made).encode()))
        shop.vault.tokenize(first, columns, kept)
        with pytest.raises(IdempotencyKeyReused):
            shop.vault.tokenize(second, columns, kept)
        with pytest.raises(AlreadyDone):
            shop.vault.tokenize(first, columns, kept)


def test_views_are_granted_up_to_one_and_metadata_with_the_whole_value(shop: Shop) -> None:
    column = Column("phone", [PHONE], metadata=[b'{"a":"b"}'])
    (token,) = shop.vault.tokenize(shop.actor, [column])[0].tokens
    enforce(shop, CLERK)
    shown = {
        view: shop.vault.reveal(shop.actor, [token], "service", view).values[0]  # type: ignore[arg-type]
        for view in ("masked", "last4", "fingerprint")
    }
    assert shown["masked"] == "+86138****8000"
    assert shown["last4"] == "**********8000"
    assert str(shown["fingerprint"]).startswith("fp_")
    assert len(str(shown["fingerprint"])) == 35
    for more in ({"view": "full"}, {"view": "plain"}, {"metadata": True}):
        with pytest.raises(PolicyDenied):
            shop.vault.reveal(shop.actor, [token], "service", **more)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        shop.vault.reveal(shop.actor, [token], "service", "match")  # type: ignore[arg-type]


def test_purposes_are_those_of_the_policy_and_some_need_a_reference(shop: Shop) -> None:
    (token,) = shop.tokenize("phone", PHONE)
    enforce(shop, CLERK)
    with pytest.raises(InvalidRequest, match="purpose"):
        shop.vault.reveal(shop.actor, [token], "fun")
    with pytest.raises(PolicyDenied):
        shop.vault.reveal(shop.actor, [token], "audit")
    with pytest.raises(CaseRequired):
        shop.vault.reveal(shop.actor, [token], "legal")
    with pytest.raises(ConsentRequired):
        shop.vault.compare(shop.actor, [token], [PHONE], "marketing", grounds=Grounds(case="7"))
    with pytest.raises(InvalidRequest, match="reference"):
        shop.vault.reveal(shop.actor, [token], "legal", grounds=Grounds(case="two words"))
    asker = replace(shop.actor, origin="192.0.2.7")
    shop.vault.reveal(asker, [token], "legal", grounds=Grounds(case="2026/17", consent="c-1"))
    told = records(shop)
    assert [one.result for one in told[-4:]] == ["policy_denied", "case_required", "consent_required", "ok"]
    assert (told[-1].reference, told[-1].purpose, told[-1].origin) == (
        "case:2026/17 consent:c-1", "legal", "192.0.2.7",
    )  # fmt: skip
    assert told[-2].purpose == "market"


OWN = CLERK.replace('view = "masked"\n', 'view = "masked"\nwhen = { own = true }\n')


def test_only_the_persons_own_rows(shop: Shop) -> None:
    mine, hers = shop.tokenize("phone", PHONE, "+8613800138001", subjects=["customer-1", "customer-2"])
    both = [mine, hers]
    only = shop.vault.reveal(shop.actor, both, "service", grounds=Grounds(subject="customer-1"))
    assert only.values == ["+86138****8000", None]
    assert isinstance(only.errors[1], UnknownToken)
    enforce(shop, OWN)
    assert shop.vault.reveal(shop.actor, both, "service").values == [None, None]
    only = shop.vault.reveal(shop.actor, both, "service", grounds=Grounds(subject="customer-1"))
    assert only.values[0]
    assert isinstance(only.errors[1], UnknownToken)
    # Whoever logged in as a person acts for no other, whatever the request names.
    herself = replace(shop.actor, subject="customer-2")
    assert shop.vault.reveal(herself, both, "service").values == [None, "+86138****8001"]
    other = shop.vault.reveal(herself, both, "service", grounds=Grounds(subject="customer-1"))
    assert codes(other.errors) == {0: "policy_denied", 1: "unknown_token"}
    for answer in (
        shop.vault.describe(shop.actor, both, grounds=Grounds(subject="customer-2")),
        shop.vault.compare(shop.actor, both, both, "service", grounds=Grounds(subject="customer-2")),
    ):
        assert isinstance(answer.errors[0], UnknownToken)


GOVERNED = """
format = 1
[roles.analyst]
label = "Risk"
budget = { minute = 3 }
[[roles.analyst.allow]]
operations = ["reveal", "compare", "describe", "tokenize", "delete"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "the tests look at whole values"
[callers]
"key_0" = ["analyst"]
[sweep]
misses = 4
pause = 60
"""


def test_what_is_answered_was_counted_and_what_was_refused_is_on_record(shop: Shop) -> None:
    tokens = shop.tokenize("phone", PHONE, "+8613800138001", "+8613800138002")
    enforce(shop, GOVERNED)
    assert shop.vault.reveal(shop.actor, tokens, "service").values[0] == "+86138****8000"  # costs nothing
    shop.vault.reveal(shop.actor, tokens[:2], "service", "full")
    shop.vault.reveal(shop.actor, tokens[:2], "service", "fingerprint")
    with pytest.raises(BudgetExceeded):
        shop.vault.reveal(shop.actor, tokens[:2], "service", "last4")
    with pytest.raises(BudgetExceeded):
        shop.vault.reveal(shop.actor, tokens[:2], "service", metadata=True)
    assert len(shop.vault.reveal(shop.actor, tokens[:1], "service", "full").values) == 1
    told = [(one.result, one.count, one.refused) for one in records(shop, "reveal")]
    assert told[-3:] == [("budget_exceeded", 0, 2), ("budget_exceeded", 0, 2), ("ok", 1, 0)]


@ON_SQLITE
def test_log_ins_are_values_that_budgets_count(shop: Shop) -> None:
    text = "a lamp, a kite, two rivers"
    shop.vault.store_password(shop.actor, LOGIN, text)
    for last in range(8):
        shop.vault.verify_password(shop.actor, LOGIN, text, Origin(ip=f"192.0.2.{last}"))
    enforce(shop, GENEROUS)
    see: Callable[..., LoginPage] = lambda *view: shop.vault.log_ins(shop.actor, LOGIN, "service", *view)  # noqa: E731
    assert len(see().records) == 8  # masked ones are not counted
    page = see("full")
    assert len(page.records) == 3  # more at once would need a second person
    assert page.next_cursor is not None
    with pytest.raises(BudgetExceeded):
        see("full")
    told = records(shop)[-3:]
    assert [(one.result, one.count) for one in told] == [("ok", 8), ("ok", 3), ("budget_exceeded", 0)]


def test_a_token_that_there_was_is_no_guess(shop: Shop) -> None:
    enforce(shop, GENEROUS.replace("[bulk]", "[sweep]\nmisses = 3\n[bulk]"))
    deleted = shop.tokenize("phone", PHONE, "+8613800138001")
    shop.vault.delete(shop.actor, deleted)
    calls: list[Callable[[list[str]], object]] = [
        lambda tokens: shop.vault.reveal(shop.actor, tokens, "service"),
        lambda tokens: shop.vault.describe(shop.actor, tokens), lambda tokens: shop.vault.delete(shop.actor, tokens),
    ]  # fmt: skip
    for call in calls:
        call(deleted * 2)
    assert shop.count("alarm WHERE kind = 'sweep'") == 0
    for call in calls:
        call([*deleted, TOKEN])
    assert shop.count("alarm WHERE kind = 'sweep'") == 1


@ON_SQLITE
def test_logins_that_there_are_not_are_misses_on_record(shop: Shop) -> None:
    enforce(shop, GENEROUS.replace("[bulk]", "[sweep]\nmisses = 4\n[bulk]"))
    nobody, vault, text = Login(token=TOKEN), shop.vault, "a lamp, a kite, two rivers"
    calls: list[Callable[[], object]] = [
        lambda: vault.log_ins(shop.actor, nobody, "service"), lambda: vault.delete_password(shop.actor, nobody),
        lambda: vault.store_password(shop.actor, nobody, text), lambda: vault.reset_password(shop.actor, nobody, text),
    ]  # fmt: skip
    for call in calls:
        vault.governance.require_thawed(shop.actor)
        with pytest.raises(UnknownLogin):
            call()
    assert [(one.operation, one.result) for one in records(shop)][-4:] == [
        ("list_log_ins", "unknown_login"), ("delete_password", "unknown_login"), ("store_password", "unknown_login"),
        ("reset_password", "unknown_login"),
    ]  # fmt: skip
    assert shop.count("alarm WHERE kind = 'sweep'") == 1
    vault.store_password(shop.actor, LOGIN, text)
    with pytest.raises(PasswordExists):
        vault.store_password(shop.actor, LOGIN, text)
    assert records(shop)[-1].result == "password_exists"


def test_much_at_once_needs_a_second_person(shop: Shop) -> None:
    tokens = shop.tokenize("phone", PHONE, "+8613800138001", "+8613800138002")
    everybody = GOVERNED.replace('"key_0" =', '"*" =').replace(
        "budget = { minute = 3 }", "budget = { minute = 5 }"
    )
    approving = '[[roles.analyst.allow]]\noperations = ["approve"]\n[callers]'
    enforce(shop, everybody.replace("[callers]", approving) + "[bulk]\nlimit = 2\n")
    assert len(shop.vault.reveal(shop.actor, tokens[:2], "service", "full").values) == 2
    assert shop.vault.reveal(shop.actor, tokens, "service").values[0]  # masks are no bulk
    with pytest.raises(ApprovalRequired) as needed:
        shop.vault.reveal(shop.actor, tokens, "service", "full")
    named = replace(shop.actor, approval=needed.value.proposal)
    with pytest.raises(ApprovalNotValid):
        shop.vault.reveal(named, tokens, "service", "full")
    shop.vault.governance.approve(replace(shop.actor, name="oidc:office#2"), needed.value.proposal)
    for other in (tokens[::-1], [*tokens[:2], tokens[0]]):
        with pytest.raises(ApprovalNotValid):
            shop.vault.reveal(named, other, "service", "full")
    with pytest.raises(ApprovalNotValid):
        shop.vault.reveal(named, tokens, "service", "last4")
    assert shop.vault.reveal(named, tokens, "service", "full").values[0] == PHONE
    with pytest.raises(ApprovalNotValid):
        shop.vault.reveal(named, tokens, "service", "full")  # used
    told = [one.result for one in records(shop, "reveal")]
    assert told == ["ok", "ok", "approval_required", *["approval_not_valid"] * 4, "ok", "approval_not_valid"]


def test_whoever_tries_tokens_or_values_out_raises_an_alarm(shop: Shop) -> None:
    tokens = shop.tokenize("phone", PHONE)
    enforce(shop, GOVERNED)
    shop.vault.reveal(shop.actor, [TOKEN, "nonsense"], "service")
    shop.vault.describe(shop.actor, [TOKEN])
    assert shop.count("alarm") == 0
    shop.vault.compare(shop.actor, tokens * 2, ["+8613800138001", PHONE], "service")
    assert shop.count("alarm") == 1
    shop.vault.delete(shop.actor, [TOKEN])
    assert shop.count("alarm") == 1  # counted in the one that is there


def test_records_say_whom_and_what_was_touched(shop: Shop) -> None:
    tokens = shop.tokenize("phone", PHONE, "+8613800138001", subjects=["customer-1", None])
    tokens += shop.tokenize("email", MAIL, subjects=["customer-2"])
    shop.vault.reveal(shop.actor, [*tokens, TOKEN], "service")
    shop.vault.describe(shop.actor, tokens)
    shop.vault.list_tokens(shop.actor)
    shop.vault.delete(shop.actor, tokens[:2])
    shop.vault.erase(shop.actor, "customer-2")
    one, two = person(shop, "customer-1"), person(shop, "customer-2")
    told: dict[str, Any] = {record.operation: record for record in records(shop)}
    assert set(told) == {"tokenize", "reveal", "describe", "list", "delete", "erase"}
    for operation in ("reveal", "describe"):
        record = told[operation]
        assert (record.persons, record.field) == (one + two, "phone email"), operation
        assert (record.whose, record.which) == (bytes([0, 1, 0, 0, 0, 2]), bytes([0, 0, 1])), operation
    assert told["tokenize"].persons == two
    assert set(told["list"].field.split()) == {"phone", "email"}
    assert len(told["list"].persons) == 32
    assert (told["delete"].persons, told["delete"].field) == (one, "phone")
    assert (told["erase"].persons, told["erase"].field, told["erase"].whose) == (two, "email", b"\0\1")


def test_a_log_in_on_record_is_deleted_by_nobody(shop: Shop) -> None:
    made = shop.vault.store_password(shop.actor, LOGIN, "a lamp, a kite, two rivers")
    assert made.score >= 0
    shop.vault.verify_password(shop.actor, LOGIN, "a lamp, a kite, two rivers")
    (login,) = shop.vault.list_tokens(shop.actor, field="login_record").tokens
    deleted = shop.vault.delete(shop.actor, [login.token])
    assert (deleted.deleted, codes(deleted.errors)) == (0, {0: "forbidden_field"})
    told = {one.operation: one for one in records(shop)}
    assert told["store_password"].persons == told["verify_password"].persons == person(shop, "customer-1")
    seeing = CLERK.replace("[callers]", '[[roles.clerk.allow]]\noperations = ["logins"]\n[callers]')
    enforce(shop, seeing)
    with pytest.raises(PolicyDenied):  # of field login_record, nothing is revealed to a clerk
        shop.vault.log_ins(shop.actor, LOGIN, "service")
    enforce(shop, seeing.replace('fields = ["phone", "email"]\n', 'fields = ["login_record"]\n'))
    (seen,) = shop.vault.log_ins(shop.actor, LOGIN, "service").records
    assert seen.token == login.token
    with pytest.raises(PolicyDenied):
        shop.vault.log_ins(shop.actor, LOGIN, "service", "full")
    shop.vault.erase(shop.actor, "customer-1")
    assert shop.count("token") == 0


def test_a_policy_that_cannot_be_read_lets_nothing_through(shop: Shop) -> None:
    (token,) = shop.tokenize("phone", PHONE)
    enforce(shop, "format = 99\n", broken=True)
    with pytest.raises(PolicyUnreadable):
        shop.vault.reveal(shop.actor, [token], "service")
    assert shop.vault.reveal(replace(shop.actor, kind="local"), [token], "service").values == [
        "+86138****8000"
    ]
    enforce(shop, CLERK)
    assert shop.vault.reveal(shop.actor, [token], "service").values == ["+86138****8000"]


def test_a_policy_is_looked_for_once_a_second(shop: Shop) -> None:
    now = [0.0]
    book, tenant = PolicyBook(shop.resources.database, lambda: now[0]), shop.actor.tenant
    assert book.of(tenant).version == 0
    enforce(shop, CLERK)
    now[0] = 0.9
    assert book.of(tenant).version == 0
    now[0] = 1.1
    first = book.of(tenant)
    now[0] = 2.2
    assert first.version == 1
    assert book.of(tenant) is first
    enforce(shop, EMPTY)
    book.forget(tenant)
    assert (book.of(tenant).version, book.of(shop.tests.tenant).version) == (2, 0)
