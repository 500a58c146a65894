"""Identity numbers: what the standard can tell, what it cannot, and whom nobody may refuse."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import numdb
from stdnum.cn import ric

from vault.errors import InvalidValue
from vault.fields import mod11_2, regions, resident_id

TABLE = numdb.get("cn/loc")


class Oracle:
    """GB 11643-1999 once more, from the weights in the vector file, sharing no code with the product."""

    def __init__(self, table: Any) -> None:
        self.weights, self.characters = table["weights"], table["remainder_to_check"]

    def character(self, body: str) -> str:
        total = sum(int(digit) * weight for digit, weight in zip(body, self.weights, strict=True))
        return str(self.characters[total % 11])

    def refuses(self, number: str) -> bool:
        if not re.fullmatch("[1-8][0-9]{16}[0-9X]", number):
            return True
        year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
        try:
            date(year, month, day)
        except ValueError:
            return True
        return self.character(number[:17]) != number[17] or not known(number[:6], year)


@cache
def prefectures() -> frozenset[str]:
    return frozenset(province[1] + place[1][:2] for province in TABLE.prefixes for place in province[4])


@cache
def ends(code: str) -> tuple[int, ...]:
    """Return the last years of a code by python-stdnum's table, 9999 for one in force."""
    found = TABLE.info(code)
    if len(found) < 2 or "county" not in found[1][1]:
        return ()
    years = (re.match(r"\[\d*-(\d+)\]", county) for county in found[1][1]["county"].split(","))
    return tuple(9999 if year is None else int(year[1]) for year in years)


def known(code: str, year: int) -> bool:
    """Tell whether a code is of a known prefecture, and not known to have ended too early."""
    if not ends(code):
        return code[:4] in prefectures()
    return any(end >= max(year, 1984) for end in ends(code))


@pytest.fixture(scope="module")
def oracle(vectors: Any) -> Oracle:
    return Oracle(vectors("cn-ids/gb11643_resident_id.json"))


def codes() -> list[str]:
    counties = ((province[1], place[1]) for province in TABLE.prefixes for place in province[4])
    return sorted(province + place for province, place in counties if place[2:] != "00")


def numbers(oracle: Oracle, count: int) -> Iterator[str]:
    """Yield made-up valid numbers of people born from 1900 to 2024, from a seed."""
    draw = random.Random(11643)
    open_codes = [code for code in codes() if known(code, 2024)]
    for _ in range(count):
        birth = date(1900, 1, 1) + timedelta(days=draw.randrange(45_655))
        body = f"{draw.choice(open_codes)}{birth:%Y%m%d}{draw.randrange(1000):03}"
        yield body + oracle.character(body)


def refused(number: str) -> bool:
    try:
        return resident_id.normalize(number) != number
    except InvalidValue:
        return True


def test_every_slip_in_a_thousand_numbers_is_refused_where_the_standard_can_tell(oracle: Oracle) -> None:
    slips = 0
    for number in numbers(oracle, 1000):
        assert not refused(number)
        for i in range(18):
            for other in "0123456789X":
                changed = number[:i] + other + number[i + 1 :]
                assert refused(changed) == (changed != number), "a change of one character"
                slips += 1
        for i in range(17):
            swapped = number[:i] + number[i + 1] + number[i] + number[i + 2 :]
            assert refused(swapped) == (number[i] != number[i + 1]), "a swap of two neighbours"
            slips += 1
    assert slips == 1000 * (18 * 11 + 17)


def test_changes_that_the_check_character_cannot_tell_are_judged_by_date_and_place(oracle: Oracle) -> None:
    draw = random.Random(7064)
    seen = {True: 0, False: 0}
    for number in numbers(oracle, 500):
        for _ in range(4):
            places = draw.sample(range(17), 2)
            body = "".join(draw.choice("0123456789") if i in places else c for i, c in enumerate(number[:17]))
            changed = body + oracle.character(body)
            if changed[0] != "9":
                assert refused(changed) == oracle.refuses(changed)
                seen[refused(changed)] += 1
    assert min(seen.values()) > 100


@pytest.mark.parametrize("year", [1885, 1930, 1950, 1979, 1983, 1984])
def test_nobody_is_refused_for_a_code_that_was_in_force_since_1984(oracle: Oracle, year: int) -> None:
    for code in codes():
        if known(code, 1984):
            body = f"{code}{year}0229001" if year % 4 == 0 else f"{code}{year}0228001"
            assert not refused(body + oracle.character(body))


def test_a_person_whom_the_library_refuses_is_taken(oracle: Oracle) -> None:
    body = "37020219500101001"
    number = body + oracle.character(body)
    assert not ric.is_valid(number)
    assert resident_id.normalize(number) == number


@pytest.mark.parametrize(
    ("code", "year", "good"),
    [
        ("110103", 2010, True),  # Chongwen, ended 2010
        ("110103", 2011, False),
        ("110201", 1950, False),  # Changping under this code ended in 1982, before any number was given
        ("340524", 1980, True),  # the standard's own example, missing in the table
        ("441900", 1990, True),  # a city without counties
        ("119901", 1990, False),
        ("990426", 1991, False),
        ("000000", 1991, False),
    ],
)
def test_a_code_is_judged_by_the_years_it_was_in_force(
    oracle: Oracle, code: str, year: int, good: bool
) -> None:
    body = f"{code}{year}0101001"
    assert refused(body + oracle.character(body)) is not good


def test_the_table_is_read_whole() -> None:
    for province in TABLE.prefixes:
        for place in province[4]:
            code = province[1] + place[1]
            assert regions.last_year(code) == max(ends(code))
    assert len(regions.PROVINCES) == 35


@given(st.dates(date(1900, 1, 1), date(1999, 12, 31)), st.integers(0, 995))
def test_a_number_of_the_first_generation_becomes_the_one_of_the_second(birth: date, sequence: int) -> None:
    body = f"110105{birth:%Y%m%d}{sequence:03}"
    assert resident_id.normalize(body[:6] + body[8:]) == body + mod11_2.character(body)


@pytest.mark.parametrize("sequence", ["996", "997", "998", "999"])
def test_a_centenarian_of_the_first_generation_was_born_before_1900(sequence: str) -> None:
    assert resident_id.normalize(f"110105850101{sequence}")[6:14] == "18850101"


@pytest.mark.parametrize("place", ["810000", "820000", "830000"])
@pytest.mark.parametrize("birth", ["19300101", "19970630", "20181231"])
def test_residents_of_hong_kong_macao_and_taiwan_are_taken(oracle: Oracle, place: str, birth: str) -> None:
    body = f"{place}{birth}001"
    assert not refused(body + oracle.character(body))


def test_the_published_samples_of_the_permanent_residence_card_are_taken() -> None:
    for number in ("911124198108030024", "932682198501010017"):
        assert resident_id.normalize(number) == number


@pytest.mark.parametrize(
    "number",
    ["911124198108030023", "911124198113030025", "900124198108030024", "XX1110000010101", "XXA11000001010"],
)
def test_a_wrong_permanent_residence_card_is_refused(number: str) -> None:
    assert refused(number)


def test_a_birth_in_the_future_is_refused_only_by_one_who_knows_the_day(oracle: Oracle) -> None:
    body = "11010120991231001"
    number = body + oracle.character(body)
    assert resident_id.normalize(number) == number
    assert resident_id.normalize(number, today=date(2099, 12, 31)) == number
    with pytest.raises(InvalidValue, match="future"):
        resident_id.normalize(number, today=date(2099, 12, 30))


@pytest.mark.parametrize(
    "typed",
    [
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 1949 1231 002x",
        "\ufeff110105-19491231-002x\n",
        "110105\u200b19491231002Ｘ",
    ],
)
def test_messy_spellings_mean_the_same_number(typed: str) -> None:
    assert resident_id.normalize(typed) == "11010519491231002X"
