"""Whether tokens stand for values: yes, no, or a reason; nothing of the value comes out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.vault.conftest import Shop, limited
from tests.vault.enforcing import enforce, records
from vault.columns import Column, Spec
from vault.errors import InvalidOption, InvalidRequest, UnreadableValue, VaultError

CARD, PHONE = "4111111111111111", "+8613800138000"
UNKNOWN = "tok_live_" + "0" * 35


def codes(errors: dict[int, VaultError]) -> dict[int, str]:
    return {at: error.code for at, error in errors.items()}


def test_each_value_is_read_as_its_tokens_field_reads_it(shop: Shop) -> None:
    (phone,) = shop.tokenize("phone", PHONE, subjects=["customer-1"])
    (card,) = shop.tokenize("bank_card", CARD)
    (one_way,) = shop.tokenize("phone", PHONE, kind="one_way")
    column = [phone, phone, card, card, one_way, UNKNOWN, 7, phone]
    values = ["138 0013 8000", "+8613800138001", "4111-1111 11111111", PHONE, PHONE, PHONE, PHONE, None]
    compared = shop.vault.compare(shop.actor, column, values, "verify-identity")
    assert compared.matches == [True, False, True, None, None, None, None, None]
    assert codes(compared.errors) == {
        3: "invalid_value", 4: "not_revealable", 5: "unknown_token", 6: "malformed_token", 7: "invalid_value",
    }  # fmt: skip
    (told,) = records(shop, "compare")
    assert (told.count, told.refused, told.view, told.purpose) == (3, 5, "match", "verify-identity")
    assert told.persons  # whose phone it was that somebody guessed at


def test_shaped_tokens_need_their_field_and_options_reach_the_field(shop: Shop) -> None:
    (shaped,) = shop.tokenize("bank_card", CARD, kind="shaped")
    assert shop.vault.compare(shop.actor, [shaped], [CARD], "risk", "bank_card").matches == [True]
    assert codes(shop.vault.compare(shop.actor, [shaped], [CARD], "risk").errors) == {0: "malformed_token"}
    (odd,) = shop.tokenize("bank_card", "4111111111111112", options=(("luhn", False),))
    said = shop.vault.compare(shop.actor, [odd], ["4111111111111112"], "risk", options={"luhn": False})
    assert said.matches == [True]
    with pytest.raises(InvalidOption):
        shop.vault.compare(shop.actor, [odd], [CARD], "risk", options={"region": "CN"})


def test_what_may_not_be_compared_is_refused(shop: Shop) -> None:
    (phone,) = shop.tokenize("phone", PHONE, ttl=60)
    clerk = limited(shop.actor, "email")
    assert codes(shop.vault.compare(clerk, [phone], [PHONE], "risk").errors) == {0: "forbidden_field"}
    with pytest.raises(InvalidRequest, match="as long"):
        shop.vault.compare(shop.actor, [phone], [], "risk")
    with pytest.raises(InvalidRequest, match="purpose"):
        shop.vault.compare(shop.actor, [phone], [PHONE], "")
    shop.later(61)
    assert codes(shop.vault.compare(shop.actor, [phone], [PHONE], "risk").errors) == {0: "expired_token"}


def test_a_value_that_does_not_open_answers_nothing(shop: Shop) -> None:
    (phone,) = shop.tokenize("phone", PHONE)
    with shop.resources.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE token SET field = 'email'")
    with pytest.raises(UnreadableValue):
        shop.vault.compare(shop.actor, [phone], ["a@example.com"], "risk")
    assert [one.result for one in records(shop, "compare")] == ["unreadable_value"]


FREEZING = """
format = 1
[roles.all]
label = "All"
[[roles.all.allow]]
operations = ["*"]
fields = ["*"]
purposes = ["*"]
view = "full"
reason = "the tests look at whole values"
[callers]
"*" = ["all"]
[decoys]
freeze = true
"""


def test_a_decoy_looks_like_any_other_token_and_tells_of_whoever_touches_it(shop: Shop) -> None:
    enforce(shop, FREEZING)
    column = Column("phone", [PHONE], decoy=True, subjects=["customer-1"])
    (decoy,) = shop.vault.tokenize(shop.actor, [column])[0].tokens
    (other,) = shop.tokenize("phone", PHONE, subjects=["customer-1"])
    told = [shop.vault.describe(shop.actor, [token]).tokens[0] for token in (decoy, other)]
    plain = [one and replace(one, token="", created_at=0.0) for one in told]
    assert plain[0] == plain[1]
    assert shop.vault.find(shop.actor, "phone", [PHONE]).matches == [[decoy, other]]
    shop.vault.rotate_keyset(shop.actor, "seal")
    assert (shop.count("alarm"), shop.count("frozen_caller")) == (0, 0)
    curious = replace(shop.actor, name="key_curious")
    guessing = replace(shop.actor, name="key_guessing")
    views = [shop.vault.reveal(curious, [decoy, other], "risk", view).values for view in
             ("full", "masked", "last4", "fingerprint")]  # type: ignore[arg-type]  # fmt: skip
    assert all(value == same for value, same in views)
    assert views[0] == [PHONE, PHONE]
    assert shop.vault.compare(guessing, [decoy], [PHONE], "risk").matches == [True]
    assert shop.count("frozen_caller") == 2
    assert [one.result for one in records(shop, "reveal", actor=curious)] == ["ok"] * 4


def test_tags_are_described_and_outlast_a_rotation(shop: Shop) -> None:
    (token,) = shop.tokenize("phone", PHONE, tags=("vip", "a:1", "vip"), deterministic=True)
    assert shop.tokenize("phone", PHONE, tags=("other",), deterministic=True) == [
        token
    ]  # as it was first stored
    from vault.rotate import kinds

    for keyset in ("seal", "index"):
        shop.vault.rotate_keyset(shop.actor, keyset)
        kinds.work(shop.resources, "test", lambda: False, lambda _: None)
    (told,) = shop.vault.describe(shop.actor, [token]).tokens
    assert told is not None
    assert told.tags == ("a:1", "vip")
    for bad in (("",), ("x" * 33,), ("A",), ("a b",), tuple(map(str, range(9)))):
        with pytest.raises(InvalidRequest) as refused:
            shop.vault.tokenize(shop.actor, [Column("phone", [PHONE], Spec(tags=bad))])
        assert refused.value.pointer == "/tags"
