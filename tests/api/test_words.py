"""Words for all that the audit's records say: none is missing in any language, and names are never templates."""

from __future__ import annotations

import ast
import inspect
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from strongroom_client import AuditReach, PersonEvent

import keys.errors
import vault.errors
from api import errors, problems
from api.words import en, zh
from api.words.telling import LANGUAGES, Telling, language_of
from vault import fields
from vault.audit import opening
from vault.columns import OPERATIONS, PURPOSES
from vault.policy.words import VIEWS

VAULT = Path(str(vault.errors.__file__)).parent
# Where in the arguments of a function the name stands under which something goes on record.
NAMED = {
    "row": 3, "permit": 2, "_change": 2, "_attempt": 2, "_commit": 1, "_enrol": 3, "attempt": 4, "_note": 3, "_Step": 4,
}  # fmt: skip
AT = datetime(2026, 11, 26, 2, 4, tzinfo=UTC)


@cache
def recorded() -> frozenset[str]:
    """Every name that the vault's own source gives to an operation on record."""
    found = {
        *OPERATIONS,
        "any",
        opening.OPENED,
        opening.STARTED,
        opening.STOPPED,
        "audit_paused",
        "audit_resumed",
    }
    for path in VAULT.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call):
                found |= set(names(call))
    return frozenset(found)


def names(call: ast.Call) -> Iterator[str]:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = NAMED.get(called)
    spoken = [keyword.value for keyword in call.keywords if keyword.arg == "operation"]
    spoken += call.args[at : at + 1] if at is not None else []
    yield from (one.value for one in spoken if isinstance(one, ast.Constant) and isinstance(one.value, str))
    if called == "_start" and len(call.args) > 1:
        for one in ast.walk(call.args[1]):
            if isinstance(one, ast.Constant):
                yield from (str(one.value), f"start_{one.value}")


def test_the_source_names_what_goes_on_record() -> None:
    assert {"start_rotate_keyset", "audit_read", "store_password", "freeze_caller", "expire"} <= recorded()
    assert len(recorded()) > 55


@pytest.mark.parametrize("language", [en, zh], ids=["en", "zh"])
def test_no_word_is_missing(language: ModuleType) -> None:
    jobs = {"move_root", "rotate_root", "rewrap", "rotate_keyset", "compromise_key"}
    assert recorded() | jobs | {f"start_{kind}" for kind in jobs} <= set(language.OPERATIONS)
    assert set(language.FIELDS) == {kind.name for kind in fields.all()} | {"login_record"}
    assert set(language.PURPOSES) == PURPOSES
    assert set(language.VIEWS) == set(VIEWS)
    codes = {"ok", *(kind.code for kind in problems.TABLE)}  # type: ignore[attr-defined]
    for module in (vault.errors, keys.errors, errors):
        codes |= {
            kind.code for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, Exception) and kind.__module__ == module.__name__
        }  # fmt: skip
    assert codes <= set(language.RESULTS)


def test_languages_say_the_same_things() -> None:
    kinds = {name: type(value) for name, value in vars(en).items() if name.isupper()}
    assert kinds == {name: type(value) for name, value in vars(zh).items() if name.isupper()}
    for name, kind in kinds.items():
        if kind is dict:
            assert set(vars(en)[name]) == set(vars(zh)[name])
    for operation, said in en.OPERATIONS.items():
        for here, there in zip(said, zh.OPERATIONS[operation], strict=True):
            assert gaps(here) - {"was"} == gaps(there) - {"was"}, operation


def gaps(template: str) -> set[str]:
    return {name.lower() for _, name, _, _ in string.Formatter().parse(template) if name}


def event(**parts: Any) -> PersonEvent:
    usual = {
        "log": 1, "position": 4, "id": "0" * 32, "at": AT, "caller": "key_0123456789abcdef", "caller_name": "结算服务",
        "operation": "reveal", "fields": ["bank_card"], "items": 1, "purpose": "settle", "view": "masked",
        "result": "ok",
    }  # fmt: skip
    return PersonEvent(**{**usual, **parts})


@pytest.mark.parametrize(
    ("parts", "english", "chinese"),
    [
        (
            {}, "Your bank card (partly hidden) was looked at by 结算服务, to settle a payment.",
            "您的银行卡号（仅显示部分）被“结算服务”为“结算”查看。",
        ),
        (
            {"fields": ["phone", "email", "bank_card"], "view": "full", "purpose": "legal", "reference": "case:2026/7"},
            "Your phone number, e-mail address and bank card (whole) were looked at by 结算服务, for a legal case"
            " (case 2026/7).",
            "您的手机号码、电子邮箱和银行卡号（全部内容）被“结算服务”为“法律事务”查看（案件 2026/7）。",
        ),
        (
            {"result": "policy_denied", "purpose": "games", "caller_name": None},
            "An API key without a name (key_0123456789abcdef) tried to look at your bank card (partly hidden),"
            " for games, and was refused: the rules do not allow it.",
            "未命名的密钥（key_0123456789abcdef）试图为“games”查看您的银行卡号（仅显示部分），被拒绝：规则不允许。",
        ),
        (
            {"operation": "erase", "caller": "oidc:https://login.example#ann", "caller_name": None, "fields": []},
            "All that was kept of you was erased by oidc:https://login.example#ann.",
            "您的全部数据被“oidc:https://login.example#ann”彻底删除。",
        ),
        (
            {"operation": "expire", "caller": "maintenance", "caller_name": None, "view": ""},
            "Your bank card was deleted, for the time to keep it was over.", "您的银行卡号因保存期限已过而被删除。",
        ),
        (
            {"operation": "invented", "result": "ok", "caller_name": "{who.__class__} {0}", "view": "", "purpose": ""},
            "{who.__class__} {0} did something with your bank card (invented).",
            "“{who.__class__} {0}”对您的银行卡号进行了操作（invented）。",
        ),
    ],
    ids=["masked", "several", "refused", "erased", "expired", "unknown"],
)  # fmt: skip
def test_events_are_said_in_a_sentence(parts: dict[str, Any], english: str, chinese: str) -> None:
    assert Telling("en", UTC).sentence(event(**parts)) == f"2026-11-26 02:04 {english}"
    assert Telling("zh", UTC).sentence(event(**parts)) == f"2026-11-26 02:04 {chinese}"


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_every_operation_makes_a_sentence(language: str) -> None:
    telling = Telling(language, UTC)
    for operation in LANGUAGES[language].OPERATIONS:
        for result in ("ok", "policy_denied"):
            said = telling.sentence(event(operation=operation, result=result))
            assert not re.search("[{}]", said), said
    reach = AuditReach(log=1, sealed_to=9, pending=2, sealed_at=AT)
    assert "2026-11-26 02:04" in telling.reach(reach, 3)
    assert len(telling.reach(reach, 0)) > len(telling.reach(reach, 3))


def test_the_environment_says_the_language() -> None:
    assert language_of({"LANG": "zh_CN.UTF-8"}) == "zh"
    assert language_of({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}) == "en"
    assert language_of({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}) == "zh"
    assert language_of({}) == language_of({"LANG": "C"}) == "en"
