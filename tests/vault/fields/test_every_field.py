"""What holds for every field type: its own sample, idempotence, masks, shapes, and what no field takes."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vault.fields
from vault import fields
from vault.errors import InvalidValue
from vault.fields import mod31, mod97
from vault.fields.protocol import FieldType

every = pytest.mark.parametrize("field", fields.all(), ids=fields.names())
shapable = pytest.mark.parametrize(
    "field",
    [field for field in fields.all() if field.shape(field.normalize(field.sample))],
    ids=lambda field: field.name,
)

SAMPLES = {
    "bank_card": ["6212345678901265", "378282246310005", "62123456789000003"],
    "bank_account": ["12345678", "1100123456789012345", "NRA1100123456789012", "9" * 32],
    "iban": ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947"],
    "payment_account": [
        "2088000000000000",
        "13800138000",
        "oABC_def-123",
        "z@example.com",
        "+85261234567",
        "ab12",
    ],
    "resident_id": ["11010519491231002X", "911124198108030024", "XXA110000010101", "810000199001010019"],
    "uscc": ["91350100M000100Y43", "110108000000016"],
    "passport": ["E12345678", "EA1234567", "L898902C3", "12345"],
    "phone": ["+8613800138000", "+861012345678", "+85261234567", "+12025550123"],
    "email": ["z@example.com", "张三@例子.中国", "zhang.san@example.com"],
    "person_name": ["张", "张三", "买买提·吐尔逊", "José O'Neil", "\U00030edd", "\ue863某", "葛\U000e0100城"],
    "company_name": ["示例科技（北京）有限公司", "甲", "甲乙", "甲乙丙", "Example Ltd."],
    "address": ["北京市朝阳区示例路1号", "甲", "1 Example Road"],
    "login_name": ["a", "ab", "abcd", "zhangsan_01"],
    "text": ["x", "first\nsecond\tthird"],
    "login_record": [
        '{"ip":"203.0.113.77","result":"ok"}',
        '{"device":"ab","ip":"2001:db8::1","new_device":true,"result":"refused"}',
    ],
}
VALUES = [(fields.get(name), value) for name, values in SAMPLES.items() for value in values]
values = pytest.mark.parametrize(("field", "value"), VALUES, ids=lambda part: getattr(part, "name", None))


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(vault.fields.__path__)] + [""])
def test_the_examples_in_a_docstring_are_true(module: str) -> None:
    found: ModuleType = importlib.import_module(f"vault.fields.{module}".rstrip("."))
    assert doctest.testmod(found).failed == 0


@every
def test_a_field_says_what_it_is(field: FieldType) -> None:
    assert field.classification in {"C1", "C2"}  # C3 is never stored
    assert 0 < len(field.normalize(field.sample)) <= field.max_length <= 16_384
    assert field.options <= {"luhn", "region"}
    if field.check:
        assert field.check.ok(field.normalize(field.sample))


@values
def test_a_canonical_value_is_its_own_canonical_form(field: FieldType, value: str) -> None:
    assert field.normalize(value) == value


def with_check(field: FieldType, body: str, alphabet: str) -> str:
    assert field.check
    return next(body + last for last in alphabet if field.check.ok(body + last))


def number(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def checked(name: str, pattern: str, alphabet: str) -> st.SearchStrategy[str]:
    return number(pattern).map(lambda body: with_check(fields.get(name), body, alphabet))


BIRTH = "(19[0-9]{2}|20[01][0-9])(0[1-9]|1[0-2])([01][1-8])"
WORDS = st.text(max_size=40) | st.text("张三 ·.•()（）ab1２-—_@=+\u200b\u3000\u0301é;D^", max_size=20)
TYPED = {
    "bank_card": checked("bank_card", "[0-9]{11,18}", "0123456789"),
    "bank_account": number("([A-Za-z]{3})?[0-9]{8,29}"),
    "iban": number("[0-9]{18}").map(lambda own: f"DE{mod97.digits('DE00' + own)}{own}"),
    "payment_account": number(
        "[0-9]{4,20}|[A-Za-z0-9_.-]{4,40}|1[38][0-9]{9}|[+]8613[0-9]{9}|[a-z]{1,9}@qq.com"
    ),
    "resident_id": checked("resident_id", f"110105{BIRTH}[0-9]{{3}}", "0123456789X"),
    "uscc": checked("uscc", "91[0-9]{6}[0-9A-H]{9}", mod31.CHARACTERS),
    "passport": number("[A-Za-z0-9]{5,16}"),
    "phone": number("([+]86|0086|86)?1(3[0-9]|8[0-9]|5[0-35-9])[0-9]{8}"),
    "email": number("[a-zA-Z0-9_+-]{1,20}([.][a-z]{1,5})?@[a-z0-9]{2,10}[.](com|cn)"),
}
SURE = {
    "bank_card",
    "bank_account",
    "iban",
    "uscc",
    "phone",
    "resident_id",
}  # nothing drawn of them may be refused
WIDE = {narrow: narrow + 0xFEE0 for narrow in range(0x21, 0x7F)}


@st.composite
def dressed(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """Draw a value as people type it: wide or not, in groups, with marks nobody sees."""
    value = draw(values)
    gap = "" if "@" in value else draw(st.sampled_from(["", " ", "-", "\u3000", "\u2013", "\u00a0"]))
    if draw(st.booleans()):
        value = value.translate(WIDE)
    groups = gap.join(value[i : i + 4] for i in range(0, len(value), 4))
    return draw(st.sampled_from(["", " ", "\ufeff"])) + groups + draw(st.sampled_from(["", "\n", "\u200b"]))


@every
@given(data=st.data())
def test_what_is_taken_is_canonical_and_never_shown_whole(field: FieldType, data: st.DataObject) -> None:
    typed = data.draw(dressed(TYPED[field.name]) if field.name in TYPED else WORDS)
    try:
        canonical = field.normalize(typed)
    except InvalidValue:
        assert field.name not in SURE
        return
    assert field.normalize(canonical) == canonical
    assert 0 < len(canonical) <= field.max_length
    if "*" not in canonical:  # behind a star nobody can tell a star
        assert canonical not in field.mask(canonical)


@values
def test_a_mask_hides_something_of_every_value(field: FieldType, value: str) -> None:
    masked = field.mask(value)
    assert "*" in masked
    assert value not in masked


@shapable
def test_a_shape_fits_the_value(field: FieldType) -> None:
    for value in SAMPLES[field.name]:
        if (shape := field.shape(value)) is not None:
            assert len(shape) == len(value)
            assert all(character in alphabet for character, alphabet in zip(value, shape, strict=True))
            assert all(len(set(alphabet)) == len(alphabet) for alphabet in shape)


@shapable
def test_a_shaped_token_that_fails_its_check_or_is_reserved_is_refused(
    field: FieldType,
) -> None:
    draw = random.Random(1)
    for value in SAMPLES[field.name]:
        if (shape := field.shape(value)) is None or not (field.check or field.reserved):
            continue
        fixed = next(i for i, alphabet in enumerate(shape) if len(alphabet) > 1)
        for _ in range(300):
            token = "".join(draw.choice(alphabet) for alphabet in shape)
            if field.reserved:
                token = token[:fixed] + field.reserved + token[fixed + len(field.reserved) :]
            elif field.check and field.check.ok(token):
                continue
            with pytest.raises(InvalidValue):
                field.normalize(token)


def test_which_fields_can_be_shaped_without_saying_lookalike() -> None:
    shaped = {f.name: bool(f.check or f.reserved) for f in fields.all() if f.shape(f.normalize(f.sample))}
    assert shaped == {
        "bank_card": True, "bank_account": False, "iban": True, "payment_account": False, "resident_id": True,
        "uscc": True, "passport": False, "phone": True,
    }  # fmt: skip


TRACKS = [
    "%B4111111111111111^ZHANG/SAN^29121010000000000000?",
    ";4111111111111111=29121010000000000000?",
    "4111111111111111=2912",
    "4111 1111 1111 1111 = 2912101",
    "６２１２３４５６７８９０１２６５＝２９１２",
    "6212345678901265D2912",
    "6212345678901265d29121010000",
    "B621234567890126^A/B^2912",
]


@every
@pytest.mark.parametrize("track", TRACKS)
@pytest.mark.parametrize("around", ["{}", " {}\n", "x {} y"])
def test_track_data_is_refused_by_its_shape(field: FieldType, track: str, around: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        field.normalize(around.format(track))
    assert not any(part in str(refused.value) for part in ("4111", "6212", "2912"))


@pytest.mark.parametrize("name", ["login_name", "passport", "payment_account", "text"])
@pytest.mark.parametrize("typed", ["123456789012D2912", "X123456789012D2912", "123456789012D29121"])
def test_track_data_is_refused_where_the_alphabet_would_take_it(name: str, typed: str) -> None:
    with pytest.raises(InvalidValue, match="track data"):
        fields.get(name).normalize(typed)


@every
@pytest.mark.parametrize("wrong", ["\x00", "\x1b", "\x7f", "\x85", "\ud800", "\r"])
def test_control_characters_and_half_characters_are_refused(field: FieldType, wrong: str) -> None:
    middle = len(field.sample) // 2
    with pytest.raises(InvalidValue):
        field.normalize(field.sample[:middle] + wrong + field.sample[middle:])


@every
@pytest.mark.parametrize("blank", ["", " ", "\u3000", "\t\n", "\u200b", "\ufeff \u00a0"])
def test_a_blank_is_refused(field: FieldType, blank: str) -> None:
    with pytest.raises(InvalidValue):
        field.normalize(blank)


@every
@pytest.mark.parametrize("length", [300, 17_000, 70_000])
def test_what_is_too_long_is_refused(field: FieldType, length: int) -> None:
    for character in "1a张":
        if length > field.max_length:
            with pytest.raises(InvalidValue):
                field.normalize(character * length)


@every
def test_no_refusal_repeats_the_value(field: FieldType) -> None:
    for typed in ("Canary\x00", "Canary=^", "4111111111111112", "Canary@", "+Canary", "C4n4ry\ud800"):
        try:
            field.normalize(typed)
        except InvalidValue as refused:
            chain = [refused, refused.__cause__, refused.__context__]
            assert not any("anary" in str(error) or "4111" in str(error) for error in chain)
