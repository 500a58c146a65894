"""Check digits against other people's implementations and the standards' own tables."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn as other_luhn
from stdnum.cn import uscc as other_uscc
from stdnum.iso7064 import mod_11_2 as other_mod11_2
from stdnum.iso7064 import mod_97_10 as other_mod97

from vault.fields import luhn, mod11_2, mod31, mod97
from vault.fields.shapes import DIGITS, UPPER

digits = st.text(DIGITS, min_size=1, max_size=30)


@given(digits)
def test_luhn_agrees_with_python_stdnum(number: str) -> None:
    assert luhn.ok(number) == other_luhn.is_valid(number)


@given(st.text(DIGITS, min_size=17, max_size=17))
def test_mod_11_2_agrees_with_python_stdnum(body: str) -> None:
    assert mod11_2.character(body) == other_mod11_2.calc_check_digit(body)


@given(st.text(mod31.CHARACTERS, min_size=17, max_size=17))
def test_mod_31_agrees_with_python_stdnum(body: str) -> None:
    assert mod31.character(body) == other_uscc.calc_check_digit(body)


@given(st.text(DIGITS + UPPER, min_size=11, max_size=30))
def test_mod_97_agrees_with_python_stdnum(own: str) -> None:
    assert mod97.digits("GB00" + own) == other_mod97.calc_check_digits(own + "GB")


def test_mod_11_2_is_the_table_of_the_standard(vectors: Any) -> None:
    table = vectors("cn-ids/gb11643_resident_id.json")
    draw = random.Random(11643)
    for _ in range(1000):
        body = "".join(draw.choices(DIGITS, k=17))
        total = sum(int(digit) * weight for digit, weight in zip(body, table["weights"], strict=True))
        assert mod11_2.character(body) == table["remainder_to_check"][total % 11]


def test_mod_31_is_the_table_of_the_standard(vectors: Any) -> None:
    table = vectors("cn-ids/gb32100_uscc.json")
    assert table["charset"] == mod31.CHARACTERS
    draw = random.Random(32100)
    for _ in range(1000):
        body = "".join(draw.choices(mod31.CHARACTERS, k=17))
        values = map(mod31.CHARACTERS.index, body)
        total = sum(value * weight for value, weight in zip(values, table["weights"], strict=True))
        assert mod31.character(body) == mod31.CHARACTERS[-total % 31]


@pytest.mark.parametrize(("right", "impostor"), [("97", "00"), ("98", "01"), ("02", "99")])
def test_mod_97_check_digits_of_the_same_remainder_are_refused(right: str, impostor: str) -> None:
    draw = random.Random(13616)
    numbers = ("".join(draw.choices(DIGITS, k=18)) for _ in range(10_000))
    number = next(own for own in numbers if mod97.digits("DE00" + own) == right)
    assert mod97.ok(f"DE{right}{number}")
    assert not mod97.ok(f"DE{impostor}{number}")


@pytest.mark.parametrize(
    ("scheme", "text", "positions"),
    [
        (luhn, "6212345678901265", (15,)),
        (mod11_2, "11010519491231002X", (17,)),
        (mod11_2, "XXA110000010101", ()),
        (mod31, "91350100M000100Y43", (17,)),
        (mod31, "110108000000016", ()),
        (mod97, "GB82WEST12345698765432", (2, 3)),
    ],
)
def test_a_scheme_says_where_its_characters_are(scheme: Any, text: str, positions: tuple[int, ...]) -> None:
    assert scheme.positions(text) == positions
    assert scheme.modulus in {10, 11, 31, 97}
