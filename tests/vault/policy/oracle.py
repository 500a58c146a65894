"""What a policy document means, as plainly as it can be said of the dict that `tomllib` gives; it shares no code."""

from __future__ import annotations

import fnmatch
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

VIEWS = ["match", "fingerprint", "last4", "masked", "full"]
SEEING = {"reveal", "compare"}
ON_VALUES = {"tokenize", "reveal", "find", "describe", "list", "delete", "erase", "compare", "decoys"}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Ask:
    roles: tuple[str, ...]
    operation: str
    field: str = ""
    purpose: str = ""
    view: str = ""
    at: float = 0.0
    origin: str | None = None
    mode: str = "live"
    tags: tuple[str, ...] = ()
    age: int = 0  # seconds
    own: bool = False


def allowed(document: dict[str, Any], ask: Ask) -> bool:
    names, waiting = set[str](), list(ask.roles)
    while waiting:
        name = waiting.pop()
        if name not in names and name in document.get("roles", {}):
            names.add(name)
            waiting += document["roles"][name].get("includes", [])
    denies = list(document.get("deny", []))
    allows = []
    for name in names:
        denies += document["roles"][name].get("deny", [])
        allows += document["roles"][name].get("allow", [])
    if any(applies(document, rule, ask, allow=False) for rule in denies):
        return False
    return any(applies(document, rule, ask, allow=True) for rule in allows)


def applies(document: dict[str, Any], rule: dict[str, Any], ask: Ask, allow: bool) -> bool:
    operations, when = rule.get("operations", ["*"]), rule.get("when", {})
    if operations != ["*"] and not fits(operations, ask.operation):
        return False
    about_rows = rule.get("fields", ["*"]) != ["*"] or any(
        key in when for key in ("tags", "without_tags", "max_age", "min_age", "own")
    )
    if about_rows and ask.operation not in ON_VALUES:
        return False
    if ask.operation in ON_VALUES and not fits(rule.get("fields", ["*"]), ask.field):
        return False
    if not allow and ("view" in rule or rule.get("purposes", ["*"]) != ["*"]) and ask.operation not in SEEING:
        return False
    if ask.operation in SEEING and not sees(rule, ask, allow):
        return False
    return in_time(when, ask) and in_place(document, when, ask, allow) and of_row(when, ask)


def fits(patterns: list[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def sees(rule: dict[str, Any], ask: Ask, allow: bool) -> bool:
    purposes = rule.get("purposes", ["*"])
    if purposes != ["*"] and ask.purpose not in purposes:
        return False
    asked = VIEWS.index("match" if ask.operation == "compare" else ask.view)
    if allow:
        return asked <= VIEWS.index(rule.get("view", "masked"))
    return asked >= VIEWS.index(rule.get("view", "match"))


def in_time(when: dict[str, Any], ask: Ask) -> bool:
    if "hours" not in when and "days" not in when:
        return True
    local = datetime.fromtimestamp(ask.at, UTC).astimezone(ZoneInfo(when["zone"])).replace(tzinfo=None)
    begin, end = when.get("hours", "00:00-24:00").split("-")
    for day in (local.date() - timedelta(days=1), local.date()):
        midnight = datetime.combine(day, datetime.min.time())
        first, last = midnight + clock(begin), midnight + clock(end)
        if last <= first:
            last += timedelta(days=1)
        if first <= local < last and WEEK[day.weekday()] in when.get("days", WEEK):
            return True
    return False


def clock(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def in_place(document: dict[str, Any], when: dict[str, Any], ask: Ask, allow: bool) -> bool:
    if ask.mode not in when.get("modes", [ask.mode]):
        return False
    if "networks" not in when:
        return True
    if ask.origin is None:
        return not allow
    address = ipaddress.ip_address(ask.origin)
    blocks = [ipaddress.ip_network(text) for name in when["networks"] for text in document["networks"][name]]
    return any(address in block for block in blocks)


def of_row(when: dict[str, Any], ask: Ask) -> bool:
    return (
        all(tag in ask.tags for tag in when.get("tags", []))
        and not any(tag in ask.tags for tag in when.get("without_tags", []))
        and ("max_age" not in when or ask.age <= seconds(when["max_age"]))
        and ("min_age" not in when or ask.age >= seconds(when["min_age"]))
        and (ask.own or "own" not in when)
    )


def seconds(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]
