"""Shaped tokens in a space that fills up: never two values for one token, never an old token for a new value."""

from __future__ import annotations

import pytest

from tests.vault.conftest import Shop
from vault import shapes
from vault.columns import Column, Spec
from vault.errors import NotShapable
from vault.fields.protocol import FieldType

CARD = "6200000000000005"


@pytest.fixture
def tiny(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A floor so low that twelve digits may be kept: a thousand texts, nine in ten of which fail Luhn."""
    monkeypatch.setattr(shapes, "MIN_DOMAIN", 100)
    return shop


def fill(shop: Shop, values: list[str]) -> tuple[list[str], list[str]]:
    """Return the tokens of `values`, and the codes of those that got none."""
    spec = Spec("shaped", keep_first=13, options=(("luhn", False),), lookalike=True)
    (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", values, spec)])
    return [token for token in made.tokens if token], [error.code for error in made.errors.values()]


def test_a_full_space_says_so_and_never_repeats_a_token(tiny: Shop) -> None:
    tokens: list[str] = []
    codes: list[str] = []
    for _ in range(11):
        more, refused = fill(tiny, [CARD] * 100)
        tokens += more
        codes += refused
    assert len(tokens) == len(set(tokens)) == 900 == tiny.count("token")
    assert codes == ["token_space_exhausted"] * 200
    assert tiny.count("index_entry") == 900


def test_one_value_without_the_shape_is_refused_alone(shop: Shop) -> None:
    """Six and four may be kept of nineteen digits, not of sixteen."""
    spec = Spec("shaped", keep_first=6, keep_last=4)
    (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", [CARD, "6205500000000000004"], spec)])
    assert made.tokens[0] is None
    assert made.tokens[1] is not None
    assert made.errors[0].code == "domain_too_small"


def test_columns_of_one_request_share_the_space(tiny: Shop) -> None:
    spec = Spec("shaped", keep_first=13, options=(("luhn", False),), lookalike=True)
    columns = [Column("bank_card", [CARD] * 40, spec) for _ in range(5)]
    made = tiny.vault.tokenize(tiny.actor, columns)
    tokens = [token for column in made for token in column.tokens if token]
    assert len(tokens) == len(set(tokens)) == 200


def test_a_deleted_token_never_comes_back_for_another_value(tiny: Shop) -> None:
    tokens, _ = fill(tiny, [CARD] * 600)
    assert tiny.vault.delete(tiny.actor, tokens, "bank_card").deleted == 600
    again, codes = fill(tiny, ["6200000000000013"] * 600)
    assert not set(again) & set(tokens)
    assert len(again) + len(codes) == 600
    assert len(again) <= 300


def test_no_shaped_token_is_read_as_an_opaque_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be refused for ever, and its value lost."""
    draws = shapes.draw

    def unlucky(field: FieldType, places: tuple[str, ...], spec: Spec, count: int) -> list[str]:
        return ["tok_abcdef12", *draws(field, places, spec, count)]

    monkeypatch.setattr(shapes, "draw", unlucky)
    for value in ("wal_abcdef12", "tok_abcdef12"):
        (token,) = shop.tokenize("payment_account", value, kind="shaped", lookalike=True)
        assert shop.plain(token, field="payment_account") == [value]
    spec = Spec("shaped", keep_first=4, lookalike=True)
    with pytest.raises(NotShapable):
        shop.vault.tokenize(shop.actor, [Column("payment_account", ["tok_abcdef12"], spec)])


def test_no_draw_is_no_token(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "draw", lambda *_: [])
    (made,) = shop.vault.tokenize(shop.actor, [Column("bank_card", [CARD], Spec("shaped"))])
    assert made.tokens == [None]
    assert made.errors[0].code == "token_space_exhausted"
