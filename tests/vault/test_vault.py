"""What the vault promises, on both databases: tokens, kinds, scopes, tenants, subjects, look-ups, audit."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.vault.conftest import Shop, actor, limited
from vault.audit import leaf
from vault.columns import AlreadyDone, Column, Remember, Reply, Spec
from vault.errors import (
    DeadlineExceeded,
    DomainTooSmall,
    ForbiddenField,
    IdempotencyKeyReused,
    InvalidRequest,
    LookalikeRequired,
    NotSearchable,
    NotShapable,
    UnknownField,
    UnknownSubject,
)
from vault.fields import luhn

CARD, OTHER = "6200000000000005", "6205500000000000004"


def test_values_come_back_and_bad_ones_are_refused_alone(shop: Shop) -> None:
    values = [CARD, "not a card", 7, "６２００ 0000-0000 0005", None]
    (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", values)])
    assert [token is None for token in made.tokens] == [False, True, True, False, True]
    assert {at: error.code for at, error in made.errors.items()} == dict.fromkeys((1, 2, 4), "invalid_value")
    assert "not a card" not in "".join(map(str, made.errors.values()))
    assert shop.plain(*[token for token in made.tokens if token]) == [CARD, CARD]


def test_masked_is_the_default(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", CARD)
    assert shop.vault.reveal(shop.actor, [token], "service").values == ["620000******0005"]


def test_fresh_tokens_differ_and_deterministic_ones_repeat_within_their_scope(shop: Shop) -> None:
    fresh = shop.tokenize("bank_card", CARD, CARD)
    assert len({*fresh, *shop.tokenize("bank_card", CARD)}) == 3
    fixed = shop.tokenize("bank_card", CARD, OTHER, CARD, deterministic=True)
    assert fixed[0] == fixed[2] != fixed[1]
    assert shop.tokenize("bank_card", OTHER, CARD, deterministic=True) == [fixed[1], fixed[0]]
    partner = shop.tokenize("bank_card", CARD, deterministic=True, scope="partner-a")
    assert partner != fixed[:1]
    assert shop.plain(*fixed, *partner) == [CARD, OTHER, CARD, CARD]


def test_one_way_tokens_repeat_and_keep_no_value(shop: Shop) -> None:
    one, same, other = shop.tokenize(
        "phone", "13800138000", "+86 138 0013 8000", "13900139000", kind="one_way"
    )
    assert one == same != other
    refused = shop.vault.reveal(shop.actor, [one], "service")
    assert refused.values == [None]
    assert refused.errors[0].code == "not_revealable"
    with shop.resources.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM token WHERE sealed IS NOT NULL").scalar() == 0


def test_shaped_tokens_keep_length_and_fail_the_check_digit(shop: Shop) -> None:
    tokens = shop.tokenize("bank_card", *[CARD] * 200, kind="shaped", keep_first=6)
    assert len(set(tokens)) == 200
    assert all(len(token) == 16 and token.startswith(CARD[:6]) and token.isdigit() for token in tokens)
    assert not any(luhn.ok(token) for token in tokens)
    assert shop.plain(*tokens, field="bank_card") == [CARD] * 200
    valid = shop.tokenize("bank_card", *[CARD] * 50, kind="shaped", check="valid")
    assert all(luhn.ok(token) for token in valid)


def test_a_deterministic_shaped_token_repeats(shop: Shop) -> None:
    spec = {"kind": "shaped", "deterministic": True}
    one, two, again = shop.tokenize("bank_card", CARD, OTHER, CARD, **spec)
    assert (one, len(one), len(two)) == (again, 16, 19)
    assert shop.tokenize("bank_card", OTHER, CARD, **spec) == [two, one]


@pytest.mark.parametrize(
    ("field", "value", "spec", "error"),
    [
        ("bank_card", CARD, {"kind": "shaped", "keep_first": 6, "keep_last": 4}, DomainTooSmall),
        (
            "bank_card",
            CARD,
            {"kind": "shaped", "keep_first": 6, "check": "valid", "keep_last": 4},
            DomainTooSmall,
        ),
        ("bank_card", CARD, {"kind": "shaped", "keep_first": 16}, DomainTooSmall),
        ("email", "a@example.com", {"kind": "shaped"}, NotShapable),
        (
            "bank_card",
            "6200000000000006",
            {"kind": "shaped", "options": (("luhn", False),)},
            LookalikeRequired,
        ),
        ("phone", "13800138000", {"kind": "shaped", "keep_first": 6}, LookalikeRequired),
        ("text", "hello", {"deterministic": True}, NotSearchable),
        ("text", "hello", {"kind": "one_way"}, NotSearchable),
        ("cvv", "123", {}, ForbiddenField),
        ("nonsense", "123", {}, UnknownField),
    ],
)
def test_what_cannot_be_made_is_refused_whole(
    shop: Shop, field: str, value: str, spec: dict[str, object], error: type[InvalidRequest]
) -> None:
    with pytest.raises(error):
        shop.tokenize(field, value, **spec)
    assert shop.count("token") == 0


def test_the_floor_allows_bin_and_last_four_of_a_longer_card(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", OTHER, kind="shaped", keep_first=6, keep_last=4)
    assert (token[:6], token[-4:], len(token)) == (OTHER[:6], OTHER[-4:], 19)


def test_several_columns_are_one_commit(shop: Shop) -> None:
    good, bad = Column("bank_card", [CARD]), Column("text", ["x"], Spec(deterministic=True))
    with pytest.raises(NotSearchable):
        shop.vault.tokenize(shop.actor, [good, bad])
    assert shop.count("token") == 0
    made = shop.vault.tokenize(shop.actor, [good, Column("phone", ["13800138000"]), good])
    assert shop.plain(*[column.tokens[0] or "" for column in made]) == [CARD, "+8613800138000", CARD]


def test_tenants_and_modes_never_meet(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", CARD, deterministic=True)
    other = actor(shop.vault.bootstrap("other shop")["live"][0].tenant, "live")
    assert shop.vault.reveal(other, [token], "service").errors[0].code == "unknown_token"
    assert shop.vault.reveal(shop.tests, [token], "service").errors[0].code == "wrong_mode"
    disguised = token.replace("tok_live_", "tok_test_")
    assert shop.vault.reveal(shop.tests, [disguised], "service").errors[0].code == "unknown_token"
    assert shop.vault.find(other, "bank_card", [CARD]).matches == [[]]
    assert shop.vault.list_tokens(other).tokens == []
    assert shop.vault.delete(other, [token]).deleted == 0
    (theirs,) = shop.vault.tokenize(other, [Column("bank_card", [CARD], Spec(deterministic=True))])
    assert theirs.tokens != [token]
    assert shop.plain(token) == [CARD]


def test_a_key_reaches_only_its_fields(shop: Shop) -> None:
    card, phone = shop.tokenize("bank_card", CARD) + shop.tokenize("phone", "13800138000")
    clerk = limited(shop.actor, "phone")
    answer = shop.vault.reveal(clerk, [card, phone], "service", "plain")
    assert answer.values == [None, "+8613800138000"]
    assert answer.errors[0].code == "forbidden_field"
    assert [one.field for one in shop.vault.list_tokens(clerk).tokens] == ["phone"]
    assert shop.vault.delete(clerk, [card, phone]).deleted == 1
    assert shop.plain(card) == [CARD]


def test_purpose_and_view_are_not_optional(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", CARD)
    for purpose, view in (("", "masked"), ("curiosity", "masked"), ("service", "everything")):
        with pytest.raises(InvalidRequest):
            shop.vault.reveal(shop.actor, [token], purpose, view)  # type: ignore[arg-type]


def test_odd_tokens_each_have_their_reason(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", CARD)
    odd = [
        token,
        token.upper(),
        token[:-1],
        token + "0",
        "tok_live_" + "0" * 35,
        7,
        None,
        "",
        "x" * 9_999,
        "张",
    ]
    answer = shop.vault.reveal(shop.actor, odd, "service", "plain")
    assert answer.values == [CARD] + [None] * 9
    codes = [answer.errors[at].code for at in range(1, 10)]
    assert codes == ["malformed_token"] * 3 + ["unknown_token"] + ["malformed_token"] * 5


def test_time_to_live_ends_to_the_second_and_shreds(shop: Shop) -> None:
    (short,) = shop.tokenize("bank_card", CARD, ttl=60)
    (fixed,) = shop.tokenize("bank_card", OTHER, ttl=60, deterministic=True)
    (lasting,) = shop.tokenize("bank_card", CARD)
    shop.later(59)
    assert shop.plain(short, fixed) == [CARD, OTHER]
    shop.later(1.5)
    answer = shop.vault.reveal(shop.actor, [short, fixed, lasting], "service", "plain")
    assert [answer.errors[at].code for at in (0, 1)] == ["expired_token"] * 2
    assert shop.vault.find(shop.actor, "bank_card", [OTHER]).matches == [[]]
    (renewed,) = shop.tokenize("bank_card", OTHER, ttl=60, deterministic=True)
    assert renewed != fixed
    assert shop.maintain()["expired_tokens"] == 1
    assert (shop.count("token"), shop.count("index_entry"), shop.count("tombstone")) == (2, 2, 2)
    assert shop.plain(short, fixed, renewed, lasting) == [None, None, OTHER, CARD]


def test_metadata_is_sealed_and_comes_back_on_request(shop: Shop) -> None:
    column = Column("phone", ["13800138000", "13900139000"], metadata=[b'{"order":"canary"}', None])
    (made,) = shop.vault.tokenize(shop.actor, [column])
    tokens = [token or "" for token in made.tokens]
    assert shop.vault.reveal(shop.actor, tokens, "service").metadata is None
    assert shop.vault.reveal(shop.actor, tokens, "service", metadata=True).metadata == [
        b'{"order":"canary"}',
        None,
    ]
    with shop.resources.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT metadata FROM token").fetchall()
    assert all(b"canary" not in bytes(row[0] or b"") for row in stored)


def test_find_gives_every_token_of_a_value(shop: Shop) -> None:
    fresh = shop.tokenize("bank_card", CARD, CARD) + shop.tokenize("bank_card", CARD)
    fixed = shop.tokenize("bank_card", CARD, deterministic=True)
    shop.tokenize("bank_card", CARD, deterministic=True, scope="partner")
    found = shop.vault.find(shop.actor, "bank_card", [CARD, OTHER, "junk"])
    assert found.matches[0] is not None
    assert sorted(found.matches[0]) == sorted(fresh + fixed)
    assert found.matches[1:] == [[], None]
    assert found.errors[2].code == "invalid_value"
    with pytest.raises(NotSearchable):
        shop.vault.find(shop.actor, "text", ["x"])


def test_pages_list_every_token_once(shop: Shop) -> None:
    tokens = {token for _ in range(7) for token in shop.tokenize("bank_card", CARD, OTHER)}
    shop.tokenize("phone", "13800138000", subjects=["u1"])
    seen: list[str] = []
    cursor = None
    while True:
        page = shop.vault.list_tokens(shop.actor, "bank_card", cursor=cursor, limit=3)
        seen += [one.token for one in page.tokens]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == 14
    assert set(seen) == tokens
    assert [one.field for one in shop.vault.list_tokens(shop.actor, subject="u1").tokens] == ["phone"]
    for bad in ("", "!", "//////"):
        with pytest.raises(InvalidRequest):
            shop.vault.list_tokens(shop.actor, cursor=bad)


def test_deleting_takes_the_value_and_its_entries(shop: Shop) -> None:
    tokens = shop.tokenize("bank_card", CARD, OTHER) + shop.tokenize("bank_card", CARD, deterministic=True)
    shaped = shop.tokenize("bank_card", CARD, kind="shaped", deterministic=True, scope="s")
    assert shop.vault.delete(shop.actor, [*tokens, tokens[0], "tok_live_x"]).deleted == 3
    assert shop.vault.delete(shop.actor, shaped, "bank_card").deleted == 1
    assert (shop.count("token"), shop.count("index_entry"), shop.count("tombstone")) == (0, 0, 4)
    again = shop.vault.delete(shop.actor, tokens)
    assert {error.code for error in again.errors.values()} == {"unknown_token"}


def test_a_subject_is_erased_whole_and_alone(shop: Shop) -> None:
    mine = shop.tokenize("bank_card", CARD, OTHER, subjects=["u1", "u2"])
    mine += shop.tokenize("phone", "13800138000", "13900139000", subjects=["u1", None], deterministic=True)
    one_way = shop.tokenize("phone", "13700137000", subjects=["u1"], kind="one_way")
    erased = shop.vault.erase(shop.actor, "u1")
    assert erased.tokens == 3
    assert shop.plain(*mine, *one_way) == [None, OTHER, None, "+8613900139000", None]
    assert shop.vault.find(shop.actor, "phone", ["13800138000"]).matches == [[]]
    assert (shop.count("subject"), shop.count("erasure"), shop.count("index_entry")) == (1, 1, 2)
    with pytest.raises(UnknownSubject):
        shop.vault.erase(shop.actor, "u1")
    again = shop.tokenize("bank_card", CARD, subjects=["u1"])
    assert shop.plain(*again) == [CARD]


def test_without_the_person_key_nothing_of_the_person_opens(shop: Shop) -> None:
    """The key is what an erasure destroys: a row that came back from a backup stays shut."""
    (token,) = shop.tokenize("bank_card", CARD, subjects=["u1"])
    database = shop.resources.database
    with database.read() as connection:
        row = connection.exec_driver_sql("SELECT * FROM token").fetchone()
    shop.vault.erase(shop.actor, "u1")
    database.write(lambda transaction: transaction.append("token", [tuple(row)[:-1]]))
    from vault.errors import UnreadableValue

    with pytest.raises(UnreadableValue):
        shop.plain(token)
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id DESC").first()
    last = leaf.decode(bytes(found[0])) if found else None
    assert last is not None
    assert (last.operation, last.result, last.count, last.refused) == ("reveal", "unreadable_value", 0, 1)


def test_a_deterministic_token_belongs_to_one_subject(shop: Shop) -> None:
    (token,) = shop.tokenize("phone", "13800138000", subjects=["u1"], deterministic=True)
    spec = Spec(deterministic=True)
    (made,) = shop.vault.tokenize(
        shop.actor, [Column("phone", ["13800138000"] * 3, spec, ["u2", "u1", None])]
    )
    assert made.tokens == [None, token, token]
    assert made.errors[0].code == "subject_conflict"


def test_an_idempotent_request_is_carried_out_once(shop: Shop) -> None:
    def ask(values: list[object], key: str = "order-1") -> str:
        remember = Remember(key, repr(values).encode(), lambda made: Reply(200, made[0].tokens[0].encode()))  # type: ignore[index]
        try:
            (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", values)], remember)
        except AlreadyDone as done:
            return done.reply.body.decode()
        return str(made.tokens[0])

    first = ask([CARD])
    assert ask([CARD]) == first
    assert ask([CARD], "order-2") != first
    with pytest.raises(IdempotencyKeyReused):
        ask([OTHER])
    assert shop.count("token") == 2
    shop.later(86_401)
    assert ask([OTHER]) != first
    shop.later(86_401)
    assert shop.maintain()["idempotency_replies"] == 2


def test_concurrent_twins_make_one_set_of_tokens(shop: Shop) -> None:
    bodies: list[bytes] = []

    def ask() -> None:
        remember = Remember("twin", b"same", lambda made: Reply(200, made[0].tokens[0].encode()))  # type: ignore[index]
        try:
            (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", [CARD])], remember)
            bodies.append(str(made.tokens[0]).encode())
        except AlreadyDone as done:
            bodies.append(done.reply.body)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 16
    assert len(set(bodies)) == 1
    assert shop.count("token") == 1


def test_every_operation_leaves_a_record_without_a_value(shop: Shop) -> None:
    tokens = shop.tokenize("bank_card", CARD, OTHER)
    shop.vault.reveal(shop.actor, tokens, "audit", "plain")
    shop.vault.describe(shop.actor, tokens)
    shop.vault.find(shop.actor, "bank_card", [CARD])
    shop.vault.list_tokens(shop.actor)
    shop.vault.delete(shop.actor, tokens[:1])
    shop.vault.record_refusal(shop.actor, "erase", "forbidden")
    with shop.resources.database.read() as connection:
        leaves = [
            bytes(row[0]) for row in connection.exec_driver_sql("SELECT leaf FROM audit_record ORDER BY id")
        ]
    records = [record for record in map(leaf.decode, leaves) if record.actor == "key_0"]
    done = [(one.operation, one.count, one.field, one.purpose, one.view, one.result) for one in records]
    assert done == [
        ("tokenize", 2, "bank_card", "", "", "ok"), ("reveal", 2, "bank_card", "audit", "full", "ok"),
        ("describe", 2, "bank_card", "", "", "ok"), ("find", 1, "bank_card", "", "", "ok"),
        ("list", 2, "bank_card", "", "", "ok"), ("delete", 1, "bank_card", "", "", "ok"),
        ("erase", 0, "", "", "", "forbidden"),
    ]  # fmt: skip
    assert records[0].tokens == records[1].tokens == records[2].tokens
    assert len(records[0].tokens) == 32
    assert records[3].tokens == records[5].tokens == records[0].tokens[:16]
    assert not any(CARD.encode() in raw or tokens[0][12:].encode() in raw for raw in leaves)
    assert not any(bytes.fromhex(tokens[0][12:]) in raw for raw in leaves)


def test_api_keys_are_shown_once_rotated_with_overlap_and_revoked(shop: Shop) -> None:
    record, text = shop.vault.create_api_key(shop.actor, "checkout", ["reveal", "tokenize"], ["phone"], 3_600)
    assert record.operations == ("tokenize", "reveal")
    assert shop.vault.find_api_key(text) == record
    assert shop.vault.find_api_key(text + "0") is None
    successor, fresh = shop.vault.rotate_api_key(shop.actor, record.id, 60)
    old = shop.vault.find_api_key(text)
    assert old is not None
    assert old.expires_at == pytest.approx(successor.created_at + 60, abs=1)
    assert (successor.operations, successor.fields) == (record.operations, record.fields)
    shop.vault.revoke_api_key(shop.actor, successor.id)
    revoked = shop.vault.find_api_key(fresh)
    assert revoked is not None
    assert revoked.revoked_at is not None
    with shop.resources.database.read() as connection:
        kept = repr(connection.exec_driver_sql("SELECT * FROM api_key").fetchall())
    assert text not in kept
    assert text[8:] not in kept


def test_who_lost_every_key_gets_another_of_the_same_tenant(shop: Shop) -> None:
    (token,) = shop.tokenize("bank_card", CARD)
    made = shop.vault.bootstrap("shop", again=True)
    assert (made["live"][0].tenant, made["test"][0].tenant) == (shop.actor.tenant, shop.tests.tenant)
    assert shop.plain(token) == [CARD]
    assert shop.vault.bootstrap("云月码支付")["live"][0].tenant != shop.actor.tenant
    for name, again in (("shop", False), ("nobody", True), ("", False), ("a" * 65, False), ("a\nb", False)):
        with pytest.raises(InvalidRequest):
            shop.vault.bootstrap(name, again)


def test_what_waited_too_long_is_not_written(shop: Shop) -> None:
    late = replace(shop.actor, deadline=shop.resources.monotonic() - 1)
    with pytest.raises(DeadlineExceeded):
        shop.vault.tokenize(late, [Column("bank_card", [CARD])])
    assert shop.count("token") == 0


def test_a_keyset_that_turned_meanwhile_is_noticed_and_the_values_sealed_again(shop: Shop) -> None:
    """A write under an old generation is refused in its own transaction, whatever the process has in memory."""
    from keys.keyset import Purpose
    from vault.store.keysets import Keysets

    (before,) = shop.tokenize("bank_card", CARD)
    store = Keysets(shop.resources.database)
    generation, keysets = store.load(shop.actor.tenant)
    now = shop.resources.database.clock()
    fresh = shop.resources.keyring.add(keysets[Purpose.SEAL], now)
    turned = keysets[Purpose.SEAL].with_version(fresh).activated(fresh.id, now)
    store.save(shop.actor.tenant, turned, generation)
    (after,) = shop.tokenize("bank_card", CARD)
    told = shop.vault.describe(shop.actor, [before, after]).tokens
    assert told[0] is not None
    assert told[1] is not None
    assert told[0].key != told[1].key == f"{fresh.id:016x}"
    assert shop.plain(before, after) == [CARD, CARD]


def test_a_token_with_another_bucket_is_none_even_beside_the_true_one(shop: Shop) -> None:
    """The three digits of the bucket are part of a token: with others nobody was given it."""
    (token,) = shop.tokenize("phone", "+8613800138000")
    others = [f"{token[:9]}{(int(token[9:12], 16) + at) % 4096:03x}{token[12:]}" for at in (1, 2)]
    column = [others[0], token, others[1], token]
    shown = shop.vault.reveal(shop.actor, column, "service", "plain")
    assert shown.values == [None, "+8613800138000", None, "+8613800138000"]
    assert {at: error.code for at, error in shown.errors.items()} == dict.fromkeys((0, 2), "unknown_token")
    assert [one is None for one in shop.vault.describe(shop.actor, column).tokens] == [
        True,
        False,
        True,
        False,
    ]
    assert shop.plain(*others) == [None, None]
    deleted = shop.vault.delete(shop.actor, column)
    assert (deleted.deleted, sorted(deleted.errors)) == (1, [0, 2])
