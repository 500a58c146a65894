"""Messy spellings of cards, accounts, codes, names and addresses, and what of them is shown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as other_iban

from vault import fields
from vault.errors import InvalidValue
from vault.fields import bank_card, iban, mod97, person_name
from vault.fields.shapes import DIGITS, UPPER


@pytest.mark.parametrize(
    ("field", "typed", "canonical"),
    [
        ("bank_card", "６２１２　３４５６　７８９０　１２６５", "6212345678901265"),
        ("bank_card", "6212–3456—7890−1265", "6212345678901265"),
        ("bank_card", "\ufeff6212\u00a03456\u202f7890\u20091265\r\n", "6212345678901265"),
        ("bank_account", "nra 1100-1234 5678", "NRA110012345678"),
        ("bank_account", "0000-0000-0001", "000000000001"),
        ("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("iban", "ＧＢ８２ＷＥＳＴ１２３４５６９８７６５４３２", "GB82WEST12345698765432"),
        ("payment_account", "00861 3800138000", "13800138000"),
        ("payment_account", "+86-138-0013-8000", "13800138000"),
        ("payment_account", "+852 6123 4567", "+85261234567"),
        ("payment_account", "0012345678", "0012345678"),
        ("payment_account", "oABCdef_-123", "oABCdef_-123"),
        ("uscc", "９１３５０１００ｍ０００１００ｙ４３", "91350100M000100Y43"),
        ("uscc", "110108 000000 016", "110108000000016"),
        ("passport", "Ｇ 1234-5678", "G12345678"),
        ("passport", "L898902C3<", "L898902C3"),
        ("person_name", "买买提.吐尔逊", "买买提·吐尔逊"),
        ("person_name", "买买提・吐尔逊•艾力", "买买提·吐尔逊·艾力"),
        ("person_name", "买买提．吐尔逊", "买买提·吐尔逊"),
        ("person_name", "买买提 • ・ 吐尔逊", "买买提·吐尔逊"),
        ("person_name", "张 \u3000 三", "张三"),
        ("person_name", "J. R.  Smith", "J. R. Smith"),
        ("person_name", "Zoe\u0308 Müller", "Zo\u00eb Müller"),
        ("person_name", "Anne–Marie", "Anne-Marie"),
        ("person_name", "⾼⼭", "高山"),
        ("person_name", "ＺＨＡＮＧ ＳＡＮ", "ZHANG SAN"),
        ("company_name", "示例（上海)贸易 有限公司", "示例（上海）贸易有限公司"),
        ("company_name", "Example （Shanghai） Ltd", "Example (Shanghai) Ltd"),
        ("address", " 广东省 深圳市　南山区示例路１０号 Ｂ座 ", "广东省深圳市南山区示例路10号 B座"),
        ("login_name", "ｕｓｅｒ＿１", "user_1"),
        ("text", "a\r\nb", "a\nb"),
        ("text", "  kept  ", "  kept  "),
    ],
)
def test_a_messy_spelling_means_the_canonical_value(field: str, typed: str, canonical: str) -> None:
    assert fields.get(field).normalize(typed) == canonical
    assert fields.get(field).normalize(canonical) == canonical


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("bank_card", "6212.3456.7890.1265"),
        ("bank_card", "6212/3456/7890/1265"),
        ("bank_card", "62123456789"),
        ("bank_card", "62123456789012345678"),
        ("bank_card", "٦٢١٢٣٤٥٦٧٨٩٠١٢٦٥"),
        ("bank_card", "62123456789O1265"),
        ("bank_account", "1234567"),
        ("bank_account", "1" * 33),
        ("bank_account", "ABCD12345678"),
        ("iban", "DE8937040044053201300"),
        ("iban", "DE89370400440532013001"),
        ("iban", "ZZ89370400440532013000"),
        ("iban", "GB82WES112345698765432"),
        ("payment_account", "abc"),
        ("payment_account", "+86 123"),
        ("payment_account", "a b c d"),
        ("payment_account", "a@b"),
        ("uscc", "91350100M000100Y4I"),
        ("uscc", "91350I00M000100Y43"),
        ("uscc", "110108000000017"),
        ("passport", "1234"),
        ("passport", "E1234567?"),
        ("person_name", "·"),
        ("person_name", "---"),
        ("person_name", "张\n三"),
        ("company_name", "（）"),
        ("address", "北京\n上海"),
    ],
)
def test_what_is_not_of_its_type_is_refused(field: str, typed: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        fields.get(field).normalize(typed)
    assert refused.value.field == field


@given(
    st.sampled_from(["DE", "GB", "FR", "NO", "MT", "BR"]), st.text(DIGITS + UPPER, min_size=11, max_size=30)
)
def test_ibans_are_judged_as_by_python_stdnum(country: str, own: str) -> None:
    number = f"{country}{mod97.digits(country + '00' + own)}{own}"
    try:
        taken = iban.normalize(number) == number
    except InvalidValue:
        taken = False
    assert taken == other_iban.is_valid(number, check_country=False)


@given(st.from_regex("[0-9]{12,19}", fullmatch=True))
def test_any_card_is_taken_from_a_caller_who_says_that_it_does_not_follow_luhn(number: str) -> None:
    assert bank_card.normalize(number, luhn=False) == number


@given(st.text(st.characters(categories=["Lo", "Co"], min_codepoint=0x3400), min_size=1, max_size=10))
def test_no_han_or_private_character_is_refused_in_a_name(name: str) -> None:
    assert person_name.normalize(name)


@pytest.mark.parametrize(
    "rare", ["\u3400", "\U00020000", "\U0002ebef", "\U00030000", "\U00031350", "\ue000", "\U000f0000"]
)
def test_rare_characters_stay_as_they_are(rare: str) -> None:
    assert person_name.normalize("王" + rare) == "王" + rare
    assert person_name.normalize(rare) == rare


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"], max_codepoint=0x2FFF), min_size=1, max_size=20))
def test_decomposed_and_composed_names_are_one(name: str) -> None:
    composed, decomposed = unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)
    assert person_name.normalize(composed) == person_name.normalize(decomposed)


@pytest.mark.parametrize("length", range(12, 20))
def test_a_card_shows_at_most_six_and_four_and_hides_at_least_five(length: int) -> None:
    masked = bank_card.mask("1234567890123456789"[:length])
    first, stars, last = re.fullmatch(r"([0-9]*)(\*+)([0-9]*)", masked).groups()  # type: ignore[union-attr]
    assert len(first) <= 6
    assert len(last) == 4
    assert len(stars) >= 5
    assert len(masked) == length


@pytest.mark.parametrize(
    ("field", "canonical", "masked"),
    [
        ("resident_id", "11010519491231002X", "1****************X"),
        ("resident_id", "XXA110000010101", "X*************1"),
        ("passport", "E12345678", "E*******8"),
        ("uscc", "91350100M000100Y43", "91**************43"),
        ("bank_account", "1100123456789012345", "***************2345"),
        ("bank_account", "12345678", "******78"),
        ("iban", "GB82WEST12345698765432", "GB****************5432"),
        ("payment_account", "z@example.com", "*@example.com"),
        ("payment_account", "ab12", "***2"),
        ("email", "zhang.san@example.com", "z********@example.com"),
        ("person_name", "张", "*"),
        ("person_name", "张三", "张*"),
        ("person_name", "欧阳明月", "欧***"),
        ("company_name", "甲乙丙", "甲**"),
        ("address", "甲", "*****"),
        ("login_name", "ab", "a*"),
        ("text", "x", "********"),
    ],
)
def test_what_of_a_value_is_shown(field: str, canonical: str, masked: str) -> None:
    assert fields.get(field).mask(canonical) == masked
