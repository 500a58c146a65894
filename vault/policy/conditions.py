"""The `when` of a rule, read and checked: what can never hold is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vault.policy.cursor import Node
from vault.policy.moment import has_zones, zone_of
from vault.policy.networks import Network
from vault.policy.when import DAY, DAYS, MODES, When

KEYS = (
    "hours", "days", "zone", "networks", "modes", "tags", "without_tags", "max_age", "min_age", "own",
)  # fmt: skip
TAG = re.compile(r"[a-z0-9_.:-]{1,32}")
TAGGED = "1 to 32 of a-z, 0-9 and _.:-"
_HOURS = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)")
_AGE = re.compile(r"[1-9][0-9]{0,4}[smhd]")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read(node: Node, networks: Mapping[str, Network]) -> When:
    """Return the conditions of a `when`."""
    found = node.table(*KEYS)
    if not found:
        node.refuse("a condition that asks for nothing can be left out")
    hours, days, zone = _time(node, found)
    tags, without = _tags(found)
    youngest, oldest = _ages(found)
    return When(
        hours, days, zone,
        _names(found, "networks", networks), _names(found, "modes", MODES),
        tags, without, oldest, youngest, _own(found), networks,
    )  # fmt: skip


def age(node: Node) -> int:
    """Return an age such as 90d or 12h in microseconds."""
    text = node.matching(_AGE, "a number up to 99999 and one of s, m, h and d, such as 90d")
    return int(text[:-1]) * _SECONDS[text[-1]] * 1_000_000


def tag_set(node: Node) -> frozenset[str]:
    """Return the tags of a list."""
    return frozenset(word.matching(TAG, TAGGED) for word in node.words())


def _time(node: Node, found: Mapping[str, Node]) -> tuple[tuple[int, int] | None, frozenset[int], str]:
    hours = _hours(found["hours"]) if "hours" in found else None
    days = frozenset(map(DAYS.index, _names(found, "days", DAYS)))
    if (hours or days) and "zone" not in found:
        node.refuse(
            'zone is missing here: hours and days are those of a place, such as zone = "Asia/Shanghai"'
        )
    if "zone" not in found:
        return None, days, ""
    zone = found["zone"]
    if not (hours or days):
        zone.refuse("a zone alone says nothing: hours or days are missing")
    return hours, days, _zone(zone)


def _zone(node: Node) -> str:
    name = node.text(64)
    try:
        zone_of(name)
    except LookupError:
        if not has_zones():
            node.refuse("this machine has no time zones but UTC: install its package tzdata, or Python's")
        node.refuse("there is no such time zone; names are those of the IANA database, such as Asia/Shanghai")
    return name


def _hours(node: Node) -> tuple[int, int]:
    text = node.matching(_HOURS, "two times of the day, 00:00 to 24:00, such as 08:00-20:00")
    begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in text.split("-"))
    if begin == end:
        node.refuse("hours of no length never hold; the whole day is 00:00-24:00")
    return begin, end if end else DAY  # until 00:00 is until the day's end


def _tags(found: Mapping[str, Node]) -> tuple[frozenset[str], frozenset[str]]:
    tags, without = (
        tag_set(found[key]) if key in found else frozenset[str]() for key in ("tags", "without_tags")
    )
    if tags & without:
        found["without_tags"].refuse("a tag is both asked for and excluded, so this never holds")
    return tags, without


def _ages(found: Mapping[str, Node]) -> tuple[int | None, int | None]:
    youngest, oldest = (age(found[key]) if key in found else None for key in ("min_age", "max_age"))
    if youngest is not None and oldest is not None and oldest <= youngest:
        found["max_age"].refuse("max_age is not above min_age, so this never holds")
    return youngest, oldest


def _own(found: Mapping[str, Node]) -> bool:
    if "own" in found and not found["own"].truth():
        found["own"].refuse("own is true, or left out")
    return "own" in found


def _names(
    found: Mapping[str, Node], key: str, known: Mapping[str, Network] | tuple[str, ...]
) -> frozenset[str]:
    if key not in found:
        return frozenset()
    return frozenset(word.one_of(known, key.removesuffix("s")) for word in found[key].words())
