"""What is said of a password: the shipped list, the operator's own, zxcvbn's score, and a bound on its work."""

from __future__ import annotations

import inspect
import re

import pytest
import zxcvbn
import zxcvbn.feedback
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.passwords import judging, listing
from vault.passwords.judging import READ, WARNINGS, WORK, add_words, affordable, is_common, judge, shipped

LOOKS = "4@8({[<369|1!70$5+7%2"  # all of zxcvbn's look-alikes, each of which multiplies its work


@pytest.fixture
def own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_extra", set())


def test_the_list_has_three_thousand_that_the_rules_would_else_allow() -> None:
    assert sum(len(word) >= 12 for word in shipped()) >= 3_000  # ASVS 5.0, 6.2.4
    assert sum(8 <= len(word) < 12 for word in shipped()) >= 3_000  # where rules allow 8
    assert min(map(len, shipped())) >= 8


def test_the_list_is_spelled_as_passwords_are_compared() -> None:
    assert all(judging.folded(word) == word for word in shipped())
    assert shipped() >= listing.derived(())


@pytest.mark.parametrize(
    "common",
    [
        "qwertyuiop123", "QwertyUiop123", "ｑｗｅｒｔｙｕｉｏｐ１２３", "1qaz2wsx3edc", "123456789012", "111111111111",
        "Password123!", "P@ssw0rd1234", "Admin@123456", "Welcome@2026", "iloveyou1234", "woaini1314520",
        "woaiwojia520", "zhangwei123456", "1qaz@WSX3edc", "unbelievable", "leavemealone", "q1w2e3r4t5y6",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_common(common: str) -> None:
    assert judge(common).common


@pytest.mark.parametrize(
    "rare", ["correct horse battery", "unbelievable-ly", "a", "", "马马马马马马马马马马马马"]
)
def test_only_the_whole_password_is_compared(rare: str) -> None:
    assert not judge(rare).common


def test_the_operators_own_words_are_common_too(own_list: None) -> None:
    assert not is_common("STRONGROOM-Straße-2026")
    assert add_words(["strongroom-strasse-2026\n", "", "  \n", "密码密码密码密码密码密码\r\n"]) == 2
    assert is_common("STRONGROOM-Straße-2026")
    assert is_common("密码密码密码密码密码密码")
    assert not is_common("")


def test_the_score_and_the_reason_are_those_of_zxcvbn() -> None:
    for password, score, warning in (
        ("aaaaaaaaaaaaaaa", 0, 'Repeats like "aaa" are easy to guess.'),
        ("qwertyuiop[]asdf", None, None),
        ("correct horse battery", 4, ""),
    ):
        judgement, theirs = judge(password), zxcvbn.zxcvbn(password)
        assert (judgement.score, judgement.warning) == (theirs["score"], theirs["feedback"]["warning"])
        assert score is None or (judgement.score, judgement.warning) == (score, warning)


def test_every_sentence_that_zxcvbn_warns_with_is_known() -> None:
    source = re.sub(r"' \\\n *'", "", inspect.getsource(zxcvbn.feedback))
    theirs = {text for _, text in re.findall(r"warning'?(?: =|:) _\(\s*(['\"])(.+?)\1\)", source)}
    assert theirs == WARNINGS


@given(st.text(LOOKS + "aeiostlz", max_size=90))
def test_work_is_bounded_by_what_is_read(password: str) -> None:
    read = affordable(password)
    assert password.startswith(read)
    assert len(read) >= min(len(password), READ[-1])
    assert len(read) == READ[-1] or judging._readings(read) * len(read) ** 2 <= WORK


def test_a_plain_password_is_read_to_48_characters_and_one_of_look_alikes_to_16() -> None:
    assert len(affordable("correct horse battery " * 40)) == 48
    assert len(affordable("0123456789" * 8)) == 48  # all digits are look-alikes
    assert len(affordable(LOOKS * 4)) == 16
    assert judge(LOOKS * 4).score == 4  # and 16 drawn characters are enough for the best score


@settings(deadline=None)
@given(st.text(max_size=40) | st.text("aA1@ß\u0130\u0301٣²馬", max_size=200))
def test_anything_can_be_judged_and_nothing_of_it_comes_back(password: str) -> None:
    judgement = judge(password)
    assert 0 <= judgement.score <= 4
    assert judgement.warning == "" or judgement.warning in WARNINGS


@pytest.mark.parametrize("odd", ["\0" * 20, "\ud800" * 20, "\u202e" * 2_000, "a" * 1_000_000], ids=ascii)
def test_what_the_rules_refuse_is_judged_all_the_same(odd: str) -> None:
    assert judge(odd).score <= 4


def test_of_a_ranked_file_only_what_is_described_is_taken() -> None:
    ranked = ["dragon", "MoonLight99", "averylongphrase", "sp ace in between", "naïve passwords", "x" * 65]
    made = set(listing.listed(ranked))
    assert {"averylongphrase", "moonlight99", "dragondragon", "dragon123456", "dragon@123456"} <= made
    assert not {"dragon", "sp ace in between", "naïve passwords", "x" * 65} & made
    far = ["filler"] * listing.SURE + ["likelyenough1987", "31121987likely", "q8w7e6r5t4y3"]
    assert set(listing.listed(far)) & set(far) == {"likelyenough1987"}
