"""Phone numbers: the fast way and the library's, messy spellings, and the prefix that no number has."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import InvalidOption, InvalidValue
from vault.fields import phone


def by_library(value: str, region: str = "CN") -> str | None:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return None
    good = phonenumbers.is_valid_number(number) and not number.extension
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if good else None


def by_us(value: str, region: str = "CN") -> str | None:
    try:
        return phone.normalize(value, region=region)
    except InvalidValue:
        return None


def test_mobiles_of_every_prefix_are_judged_as_by_the_library() -> None:
    draw = random.Random(86)
    for prefix in range(1000, 2000):
        value = f"{prefix}{draw.randrange(10_000_000):07}"
        typed = draw.choice(["", "+86", "0086", "86", "+86 ", "0", "017911"]) + value
        assert by_us(typed) == by_library(typed)


@settings(max_examples=500)
@given(st.from_regex(r"(\+|00)?(86)?0?[0-9]{5,13}", fullmatch=True))
def test_any_digits_are_judged_as_by_the_library(value: str) -> None:
    assert by_us(value) == by_library(value)


@given(
    st.from_regex(r"\+?[0-9]{6,15}", fullmatch=True), st.sampled_from(["US", "GB", "HK", "SG", "IT", "JP"])
)
def test_other_regions_are_judged_as_by_the_library(value: str, region: str) -> None:
    assert by_us(value, region) == by_library(value, region)


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "0086 13800138000",
        "8613800138000",
        "(+86)13800138000", "(86) 138 0013 8000", "１３８００１３８０００",
        "+86\u00a0138\u20110013\u20118000",
        "\u202a+8613800138000\u202c", "＋８６　１３８００１３８０００", "13800138000\n",
    ],
)  # fmt: skip
def test_messy_spellings_mean_the_same_mobile(typed: str) -> None:
    assert phone.normalize(typed) == "+8613800138000"


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("010-12345678", "+861012345678"),
        ("(021) 1234 5678", "+862112345678"),
        ("0755－12345678", "+8675512345678"),
        ("400-800-1234", "+864008001234"),
        ("+852 6123 4567", "+85261234567"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("+39 06 1234 5678", "+390612345678"),
    ],
)
def test_fixed_lines_and_other_countries(typed: str, canonical: str) -> None:
    assert phone.normalize(typed) == canonical
    assert phone.normalize(canonical) == canonical


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "+", "1380013800", "138001380000", "1380013800x", "13800138000 ext. 5", "021-12345678-123",
        "13800138000/13900139000", "+8613800138000;ext=5", "12800138000", "11111111111", "one three eight",
        "10086",
        "+86+13800138000", "13800138000\x00", "+86138001380\ud800", "4111111111111111=2912",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidValue):
        phone.normalize(typed)


def test_the_reserved_prefix_is_no_number_in_any_length_that_a_token_has() -> None:
    draw = random.Random(12)
    for length in (10, 11):
        assert phone.shape("+86" + "1" * length) is not None
        for i in range(1500):
            rest = f"{i % 1000:03}" + "".join(draw.choices("0123456789", k=length - 5))
            for typed in (f"+8612{rest}", f"12{rest}", f"008612{rest}"):
                assert by_us(typed) is None


@pytest.mark.parametrize("region", ["cn", "XX", "", 86, None])
def test_an_unknown_region_is_a_wrong_option(region: object) -> None:
    with pytest.raises(InvalidOption):
        phone.normalize("13800138000", region=region)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("canonical", "masked"),
    [
        ("+8613800138000", "+86138****8000"),
        ("+861012345678", "+86101****678"),
        ("+85261234567", "+852612****7"),
        ("+12025550123", "+1202****123"),
        ("+6831234", "+683****"),
        ("+2905123", "+290****"),
    ],
)
def test_at_least_four_digits_are_hidden(canonical: str, masked: str) -> None:
    assert phone.mask(canonical) == masked
