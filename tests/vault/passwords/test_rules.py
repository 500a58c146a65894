"""Which passwords may be had: lengths at their edges, every script, what holds something of its person."""

from __future__ import annotations

import doctest
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.errors import (
    CommonPassword,
    InvalidPassword,
    InvalidRequest,
    PasswordTooLong,
    PasswordTooShort,
    PersonalPassword,
    WeakPassword,
)
from vault.passwords import personal
from vault.passwords.hasher import Judgement
from vault.passwords.rules import MOST_BYTES, Rules, candidate, check, prepared, presented

STRONG = Judgement(common=False, score=4, warning="")
SCRIPTS = {
    "latin": "a",
    "combining": "x\u0301",  # no composed form
    "emoji": "\U0001f40e",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "han": "马",
    "rare han": "\U0002a700",
    "hebrew": "ש",
    "arabic": "ش",
    "space": " ",
    "control": "\t",
}
every_script = pytest.mark.parametrize("unit", SCRIPTS.values(), ids=SCRIPTS)


def refusal(password: str, *values: str, rules: Rules | None = None) -> type[Exception] | None:
    try:
        check(rules or Rules(), password, STRONG, values)
    except InvalidPassword as refused:
        return type(refused)
    return None


def raised(function: Callable[..., object], *arguments: object) -> InvalidPassword:
    with pytest.raises(InvalidPassword) as caught:
        function(*arguments)
    return caught.value


@every_script
def test_any_character_may_be_in_a_password_which_comes_back_as_it_was(unit: str) -> None:
    password = unit * 12
    assert candidate(password) == password
    assert refusal(password) is None


@every_script
def test_sixty_four_characters_fit_under_the_narrowest_rules(unit: str) -> None:
    narrow = Rules(most_bytes=256)
    assert refusal((unit * 64)[:64], rules=narrow) is None


@pytest.mark.parametrize("character", ["a", "é", "马", "\U0001f40e", "\u0301"])
def test_each_code_point_counts_as_one(character: str) -> None:
    assert refusal(character * 11) is PasswordTooShort
    assert refusal(character * 12) is None
    assert refusal(character * 12, rules=Rules(least=15)) is PasswordTooShort


@pytest.mark.parametrize("character", ["a", "é", "\U0001f40e"])
def test_bytes_are_counted_to_1024(character: str) -> None:
    longest = character * (MOST_BYTES // len(character.encode()))
    assert candidate(longest) == longest
    assert refusal(longest) is None
    assert refusal(longest + "a") is PasswordTooLong
    with pytest.raises(PasswordTooLong):
        candidate(longest + "a")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "\0",
        "correct horse\0",
        "half \ud800 a character",
        "\udfff",
        None,
        12,
        b"bytes of a password",
        ["a"],
    ],
    ids=repr,
)
def test_what_is_no_password_cannot_be_tried(wrong: object) -> None:
    with pytest.raises(InvalidPassword) as refused:
        candidate(wrong)
    assert refused.value.pointer == "/password"
    assert refused.value.code == "invalid_password"


def test_a_megabyte_is_refused() -> None:
    with pytest.raises(PasswordTooLong) as refused:
        candidate("correct horse battery" * 50_000)
    assert "correct" not in str(refused.value)


def test_a_short_text_may_be_tried_for_it_may_be_an_old_password() -> None:
    assert candidate("a") == "a"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"least": 7}, "characters"),
        ({"least": 65}, "characters"),
        ({"most_bytes": 255}, "bytes"),
        ({"most_bytes": 1025}, "bytes"),
        ({"least_score": -1}, "score"),
        ({"least_score": 5}, "score"),
    ],
)
def test_rules_stay_within_the_standards(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Rules(**wrong)  # type: ignore[arg-type]


def test_a_new_password_is_brought_to_nfc_and_flagged_whether_that_changed_it_or_not() -> None:
    assert prepared(Rules(), "re\u0301sume\u0301 of a horse") == ("résumé of a horse", True)
    assert prepared(Rules(), "plain ascii text") == ("plain ascii text", True)
    assert prepared(Rules(normalize=False), "re\u0301sume\u0301") == ("re\u0301sume\u0301", False)


def test_characters_that_only_look_alike_stay_apart() -> None:
    for told_apart in ("ﬁne ｗｉｄｅ ²", "ſtraße", "Åß"):
        assert prepared(Rules(), told_apart) == (told_apart, True)


def test_text_that_a_later_unicode_may_compose_is_left_as_it_came() -> None:
    assert unicodedata.category("\U0001fbfa") == "Cn"
    assert prepared(Rules(), "e\u0301\U0001fbfa") == ("e\u0301\U0001fbfa", False)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_both_spellings_of_a_password_are_verified_as_it_is_kept(password: str) -> None:
    kept, flag = prepared(Rules(), password)
    assert presented(password, flag) == kept
    if flag:
        assert presented(unicodedata.normalize("NFD", password), flag) == kept
    assert presented(password, False) == password


def test_a_text_that_grows_in_nfc_is_measured_as_it_is_hashed() -> None:
    grown, _ = prepared(Rules(), candidate("\ufb2c" * 341))  # 3 bytes become 6
    assert len(grown.encode()) > MOST_BYTES
    assert refusal(grown) is PasswordTooLong


def test_common_and_weak_ones_are_refused_where_the_rules_ask_for_it() -> None:
    common, weak = Judgement(True, 4, ""), Judgement(False, 2, "Dates are often easy to guess.")
    with pytest.raises(CommonPassword):
        check(Rules(), "correct horse", common, [])
    check(Rules(common=False), "correct horse", common, [])
    check(Rules(), "correct horse", weak, [])
    check(Rules(least_score=2), "correct horse", weak, [])
    with pytest.raises(WeakPassword):
        check(Rules(least_score=3), "correct horse", weak, [])


@pytest.mark.parametrize(
    ("password", "value"),
    [
        ("my name is ZhangSan!", "zhangsan"),
        ("zhang.san--is-here", "zhangsan"),
        ("ＺＨＡＮＧＳＡＮ ２０２６", "zhangsan"),
        ("nasgnahz backwards", "zhangsan"),
        ("zhangsan goes home", "zhangsan_01"),
        ("I am anna, hello", "anna"),
        ("我的名字叫张三,你好吗朋友", "张三"),
        ("三张反过来写也不行的,朋友", "张三"),
        ("这是买买提吐尔逊的密码啊", "买买提·吐尔逊"),
        ("jose o neil of dublin", "José O'Neil"),
        ("lopez and 7 horses", "Maria Lopez"),
        ("wang.fang in the mail", "wang-fang@example.com"),
        ("call 138 0013 8000 now", "+8613800138000"),
        ("call +86-138-0013-8000", "+8613800138000"),
        ("call 0008-3100831 now", "+8613800138000"),
        ("my wallet 13800138000", "13800138000"),
        ("iceland is 411 2345 ok", "+3544112345"),
        ("born on 1949-12-31 hm", "11010519491231002X"),
        ("born on 1949/12/31 hm", "11010519491231002X"),
        ("ends with 31002x, hm", "11010519491231002X"),
        ("ends with 231002, hm", "11010519491231002X"),
        ("whole 11010519491231002x", "11010519491231002X"),
        ("card is ...7890 1265 hm", "6212345678901265"),
        ("6212 3456 7890", "6212345678901265"),
        ("iban ends 98 765 432 hm", "GB82WEST12345698765432"),
        ("passport e12345678 hm", "E12345678"),
    ],
)
def test_what_holds_something_of_its_person_is_refused(password: str, value: str) -> None:
    assert refusal(password, "unrelated", value) is PersonalPassword
    assert refusal(password, value, rules=Rules(personal=False)) is None
    assert refusal("quite another phrase", value) is None


@pytest.mark.parametrize(
    ("password", "value"),
    [
        ("lion and li and bo 77", "Li Bo"),  # "libo" is not in it, shorter words do not count
        ("remarkable mark of it", "Mark Li"),
        ("张 of the seven seas", "张"),
        ("the year 1990 was fine", "1990"),
        ("12345 horses in a row", "12345"),
        ("gmail is example.com", "zhang.san@example.com"),
        ("eighty-six 86 86 86", "+8613800138000"),
        ("my 8000 horses run", "+8613800138000"),
        ("district 110105 it is", "11010519491231002X"),
        ("621234 is only a bank", "6212345678901265"),
        ("kind regards and thanks", "a note of more than four words: regards"),
        ("!!!!????....,,,,;;;;", "a"),
        ("correct horse battery", ""),
        ("correct horse battery", "·"),
        ("🐎🐎🐎🐎🐎🐎🐎🐎🐎🐎🐎🐎", "zhangsan"),
    ],
)
def test_what_many_a_good_password_holds_is_not_personal(password: str, value: str) -> None:
    assert refusal(password, value) is None


def test_the_examples_are_true() -> None:
    assert doctest.testmod(personal).failed == 0


@given(
    st.text() | st.text(st.characters(max_codepoint=0x2FFF), min_size=12, max_size=100),
    st.lists(st.text(max_size=60), max_size=4),
    st.integers(0, 4),
)
def test_nothing_but_a_refusal_of_ours_comes_out(password: str, values: list[str], score: int) -> None:
    try:
        kept, _ = prepared(Rules(), candidate(password))
        check(Rules(least_score=4), kept, Judgement(False, score, ""), values)
    except InvalidPassword as refused:
        chained = refused.__cause__ or refused.__context__
    else:
        chained = None
    assert chained is None


@given(st.text(st.characters(categories=["L", "Nd"], min_codepoint=0x100), min_size=1, max_size=40))
def test_no_refusal_says_anything_of_the_password_or_the_value(secret: str) -> None:
    rules, fits = Rules(least_score=4), (secret * 12)[:120]
    refused = [
        raised(check, rules, secret[:7], STRONG, []),
        raised(check, rules, secret * 1024, STRONG, []),
        raised(check, rules, fits, Judgement(True, 4, ""), []),
        raised(check, rules, fits, STRONG, [secret * 6]),
        raised(check, rules, fits, Judgement(False, 0, ""), []),
        raised(candidate, secret + "\0"),
        raised(candidate, secret + "\ud800"),
    ]
    assert len({error.code for error in refused}) == 6
    assert not any(set(secret) & set(str(error)) for error in refused)
