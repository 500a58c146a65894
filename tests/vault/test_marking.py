"""The mark of a decoy: no text has it, every text can, and nothing of the text is lost."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault import fields, marking
from vault.marking import is_turned, turned


def test_the_examples() -> None:
    assert doctest.testmod(marking).failed == 0


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_text_can_be_marked_and_none_is_so_by_itself(text: str) -> None:
    plain = text.encode()
    assert not is_turned(plain)
    marked = turned(plain)
    assert is_turned(marked)
    assert (turned(marked), len(marked)) == (plain, len(plain))


@pytest.mark.parametrize("code", [0x00, 0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFD, 0x10000, 0x10FFFF])
@pytest.mark.parametrize("behind", ["", "a", "\u00e9", "\u4f4d", "\U0001f600"])
def test_at_the_borders_of_utf_8(code: int, behind: str) -> None:
    plain = (chr(code) + behind).encode()
    assert (is_turned(plain), is_turned(turned(plain))) == (False, True)


def test_the_samples_of_all_fields() -> None:
    for field in fields.all():
        plain = field.normalize(field.sample).encode()
        assert (is_turned(plain), is_turned(turned(plain))) == (False, True)


def test_nothing_is_no_decoy() -> None:
    assert not is_turned(b"")
