"""The registry, and columns of values: order, refusals, options."""

from __future__ import annotations

from datetime import date

import pytest

from vault import fields
from vault.errors import ForbiddenField, InvalidOption, InvalidValue, UnknownField


def test_a_column_keeps_its_order_and_says_which_values_are_refused() -> None:
    typed: list[object] = [
        "4111 1111 1111 1111",
        "4111111111111112",
        None,
        "6212345678901265",
        5,
        b"1",
        ["x"],
        True,
    ]
    canonical, refused = fields.normalize_column("bank_card", typed, {})
    assert canonical == ["4111111111111111", None, None, "6212345678901265", None, None, None, None]
    assert sorted(refused) == [1, 2, 4, 5, 6, 7]
    assert refused[1].reason == "has a wrong check digit"
    assert {refused[i].reason for i in (2, 4, 5, 6, 7)} == {"must be a string"}
    assert all(error.field == "bank_card" and error.__traceback__ is None for error in refused.values())


def test_an_empty_column_is_an_empty_column() -> None:
    assert fields.normalize_column(fields.get("text"), [], {}) == ([], {})


def test_options_reach_every_value() -> None:
    assert fields.normalize_column("bank_card", ["6212345678901266"], {"luhn": False}) == (
        ["6212345678901266"],
        {},
    )
    assert fields.normalize_column("phone", ["2025550123"], {"region": "US"}) == (["+12025550123"], {})


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("bank_card", {"region": "CN"}),
        ("bank_card", {"luhn": 0}),
        ("bank_card", {"luhn": "no"}),
        ("phone", {"luhn": True}),
        ("phone", {"region": "cn"}),
        ("resident_id", {"today": date(2026, 1, 1)}),
        ("text", {"x": 1}),
    ],
)
def test_a_wrong_option_refuses_the_column(field: str, options: dict[str, object]) -> None:
    with pytest.raises(InvalidOption) as refused:
        fields.normalize_column(field, ["13800138000"], options)
    assert refused.value.code == "invalid_option"


def test_a_caller_with_a_clock_has_births_in_the_future_refused() -> None:
    number = "110101209912310014"
    canonical, refused = fields.normalize_column("resident_id", [number], {})
    assert bool(canonical[0]) is not bool(refused)
    _, refused = fields.normalize_column(
        "resident_id", ["11010519491231002X", "110105194912310021"], {}, date(1949, 1, 1)
    )
    assert refused[0].reason == "has a date of birth in the future"
    assert fields.normalize_column("text", ["x"], {}, date(2026, 1, 1)) == (["x"], {})


def test_there_are_fifteen_field_types_each_under_its_name() -> None:
    assert len(fields.names()) == len(set(fields.names())) == len(fields.all()) == 15
    assert all(fields.get(field.name) is field for field in fields.all())


@pytest.mark.parametrize(
    "name",
    [
        "CVV2",
        "CVN-2",
        "PIN block",
        "Track 2",
        "trackData",
        "cardPassword",
        "Login-Password",
        *fields.never_stored(),
    ],
)
def test_what_is_never_stored_is_refused_by_name(name: str) -> None:
    with pytest.raises(ForbiddenField) as refused:
        fields.get(name)
    assert refused.value.code == "never_stored"


@pytest.mark.parametrize("name", ["password", "PassWord", "loginPassword", "Payment Password", "pwd"])
def test_a_password_is_refused_as_what_nothing_may_reveal(name: str) -> None:
    with pytest.raises(ForbiddenField, match="passwords are kept as hashes that nothing reveals"):
        fields.get(name)


@pytest.mark.parametrize(
    "name", ["", "card", "bank_card ", "BANK_CARD", "imei", "protocol", "luhn", "\ud800", "cvv\x00x"]
)
def test_an_unknown_name_is_unknown(name: str) -> None:
    with pytest.raises(UnknownField) as refused:
        fields.get(name)
    assert not name or name not in str(refused.value)


def test_a_column_is_refused_by_the_name_of_its_field_alone() -> None:
    with pytest.raises(ForbiddenField):
        fields.normalize_column("cvv", ["123"], {})
    assert not issubclass(ForbiddenField, InvalidValue)
