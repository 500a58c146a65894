"""E-mail addresses: the fast way and the library's, case, international forms."""

from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import InvalidValue
from vault.fields import email


def by_library(value: str) -> str | None:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError:
        return None


def by_us(value: str) -> str | None:
    try:
        return email.normalize(value)
    except InvalidValue:
        return None


local = st.text("abcXYZ019._+-'!{}", min_size=1, max_size=66)
label = st.text("abcXYZ019-_", min_size=1, max_size=65)
domain = st.lists(label, min_size=1, max_size=4).map(".".join) | st.sampled_from(
    [
        "qq.com",
        "163.COM",
        "example.com",
        "a.test",
        "localhost",
        "xn--fiqs8s.xn--fiqs8s",
        "xn--a.com",
        "1.2",
        "例.中国",
    ]
)


@settings(max_examples=500)
@given(local, domain)
def test_any_address_is_judged_as_by_the_library(local: str, domain: str) -> None:
    assert by_us(f"{local}@{domain}") == by_library(f"{local}@{domain}")


@pytest.mark.parametrize("length", [63, 64, 65])
@pytest.mark.parametrize("labels", [3, 4])
def test_lengths_are_judged_as_by_the_library(length: int, labels: int) -> None:
    for last in range(40, 64):
        value = "a" * length + "@" + ".".join(["b" * 62] * (labels - 1) + ["c" * last, "com"])
        assert by_us(value) == by_library(value)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("  Zhang.San@Example.COM ", "Zhang.San@example.com"),
        ("zhangsan＠example．com", "zhangsan@example.com"),
        ("ｚｈａｎｇ＠example.com", "zhang@example.com"),
        ("张三@例子.中国", "张三@例子.中国"),
        ("a@xn--fiqs8s.xn--fiqs8s", "a@中国.中国"),
        ("POSTMASTER@example.com", "postmaster@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("\u200bzhang@example.com\ufeff", "zhang@example.com"),
    ],
)
def test_messy_spellings(typed: str, canonical: str) -> None:
    assert email.normalize(typed) == canonical


def test_the_local_part_keeps_its_case() -> None:
    assert email.normalize("Zhang@example.com") != email.normalize("zhang@example.com")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "a@",
        "@b.com",
        "a@b",
        "a b@c.com",
        "a@b..com",
        "a@[127.0.0.1]",
        '"a"@b.com',
        "a\x00b@c.com",
        "\ud800@c.com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidValue):
        email.normalize(typed)
