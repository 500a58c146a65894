"""Plausible values for decoys, by field type: valid by its own rules, and of ranges kept for tests where any are.

So no decoy is somebody's: cards are of BINs that issuers publish for tests, phones of ranges kept for fiction,
mailboxes of domains nobody can have (RFC 2606), identity numbers have a sequence number that was kept for people born
before 1900. Where no range is kept, as of bank accounts, they are drawn, and may by accident be somebody's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from vault.errors import InvalidRequest
from vault.fields import mod11_2, mod31, mod97
from vault.fields.luhn import ok as luhn

Draw = Callable[[int], int]  # draw(n) is 0 to n - 1

_CARDS = ("411111", "424242", "555555", "510510", "621234", "622202")  # of published test cards
_COUNTIES = ("110105", "310115", "320106", "330106", "370203", "420106", "440305", "510107", "610113")
_AREAS = ("202", "206", "212", "303", "312", "404", "415", "512", "617", "702", "713", "808")
_BORN = date(1950, 1, 1)
_ORGANISATION = (3, 7, 9, 10, 5, 8, 4, 2)  # weights of the check character in GB 11714
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚婷宇欣浩晨佳怡雪"
_SYLLABLES = (
    "bo",
    "chen",
    "dan",
    "fei",
    "hao",
    "jing",
    "kai",
    "lan",
    "ming",
    "ning",
    "ping",
    "rui",
    "tao",
    "wen",
    "yu",
)
_TRADES = ("科技", "贸易", "商务", "信息技术", "物流", "文化传媒")
_NAMES = "恒瑞泰盛嘉诚宏远启鑫博润安达汇丰卓凯明德"
_PLACES = ("北京市朝阳区", "上海市浦东新区", "广州市天河区", "深圳市南山区", "杭州市西湖区", "成都市武侯区")
_NOTES = ("Calls back on Mondays.", "Prefers e-mail.", "Moved in spring.", "Asked for a paper invoice.")
_TLDS = ("com", "net", "org")


def values(field: str, count: int, draw: Draw) -> list[str]:
    """Return `count` values of a field type; InvalidRequest where none is made up, such as records of log-ins."""
    make = _MAKERS.get(field)
    if make is None:
        raise InvalidRequest("no decoys of this field type can be made up; give their values", "/field")
    return [make(draw) for _ in range(count)]


def _digits(draw: Draw, count: int) -> str:
    return "".join(str(draw(10)) for _ in range(count))


def _one(draw: Draw, of: Sequence[str]) -> str:
    return of[draw(len(of))]


def _bank_card(draw: Draw) -> str:
    body = _one(draw, _CARDS) + _digits(draw, 9)
    return next(body + last for last in "0123456789" if luhn(body + last))


def _bank_account(draw: Draw) -> str:
    return str(1 + draw(9)) + _digits(draw, 18)


def _iban(draw: Draw) -> str:
    own = "WEST" + _digits(draw, 14)  # the bank of the registry's own example
    return f"GB{mod97.digits('GB00' + own)}{own}"


def _payment_account(draw: Draw) -> str:
    return "2088" + _digits(draw, 12)


def _resident_id(draw: Draw) -> str:
    born = _BORN + timedelta(draw(49 * 365))
    body = f"{_one(draw, _COUNTIES)}{born:%Y%m%d}{996 + draw(4)}"
    return body + mod11_2.character(body)


def _uscc(draw: Draw) -> str:
    own = "MA" + "".join(_one(draw, mod31.CHARACTERS) for _ in range(6))
    left = -sum(weight * int(sign, 36) for weight, sign in zip(_ORGANISATION, own, strict=True)) % 11
    body = f"91{_one(draw, _COUNTIES)}{own}{'X' if left == 10 else left}"
    return body + mod31.character(body)


def _passport(draw: Draw) -> str:
    return "E" + _digits(draw, 8)


def _phone(draw: Draw) -> str:
    kept = (  # for drama and fiction, by Ofcom, ARCEP and the North American plan
        f"+442079460{draw(1_000):03}",
        f"+3319900{_digits(draw, 4)}",
        f"+1{_one(draw, _AREAS)}55501{draw(100):02}",
    )
    return _one(draw, kept)


def _login_name(draw: Draw) -> str:
    return f"{_one(draw, _SYLLABLES)}{_one(draw, _SYLLABLES)}{draw(100):02}"


def _email(draw: Draw) -> str:
    return f"{_one(draw, _SYLLABLES)}.{_login_name(draw)}@example.{_one(draw, _TLDS)}"


def _person_name(draw: Draw) -> str:
    return _one(draw, _SURNAMES) + "".join(_one(draw, _GIVEN) for _ in range(1 + draw(2)))


def _company_name(draw: Draw) -> str:
    own = "".join(_one(draw, _NAMES) for _ in range(2 + draw(2)))
    return f"{_one(draw, _PLACES)[:2]}{own}{_one(draw, _TRADES)}有限公司"


def _address(draw: Draw) -> str:
    road = "".join(_one(draw, _NAMES) for _ in range(2))
    return f"{_one(draw, _PLACES)}{road}路{900 + draw(1_000)}号"


def _text(draw: Draw) -> str:
    return _one(draw, _NOTES)


_MAKERS: Mapping[str, Callable[[Draw], str]] = {
    "bank_card": _bank_card, "bank_account": _bank_account, "iban": _iban, "payment_account": _payment_account,
    "resident_id": _resident_id, "uscc": _uscc, "passport": _passport, "phone": _phone, "email": _email,
    "person_name": _person_name, "company_name": _company_name, "address": _address, "login_name": _login_name,
    "text": _text,
}  # fmt: skip
