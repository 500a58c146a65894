"""The operator's own table: what somebody asks, and what the policy should answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from vault.columns import MAX_TAGS
from vault.policy import conditions
from vault.policy.cursor import Node
from vault.policy.model import ON_VALUES, SEEING, Row, Situation
from vault.policy.networks import parse
from vault.policy.roles import role_words
from vault.policy.rulereader import DEFAULT_VIEW, Reader, field, operation, read_view
from vault.policy.when import MODES

KEYS = (
    "caller", "roles", "operation", "field", "purpose", "view", "at", "network", "mode", "tags", "age", "own", "expect",
)  # fmt: skip
MAX_CASES = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table.

    Attributes:
        caller: the name of who asks, whose roles the document gives; empty where `situation` has the roles.
        timed: whether the case says when it asks.
        allowed: what it should come to.
    """

    line: int
    caller: str
    situation: Situation
    timed: bool
    row: Row
    allowed: bool


def read(node: Node, roles: Collection[str], reader: Reader) -> tuple[Case, ...]:
    """Return the cases of the document."""
    nodes = node.tables()
    if len(nodes) > MAX_CASES:
        node.refuse(f"there are at most {MAX_CASES:,} cases")
    return tuple(_case(inner, roles, reader) for inner in nodes)


def _case(node: Node, roles: Collection[str], reader: Reader) -> Case:
    found = node.table(*KEYS, required=("operation", "expect"))
    if ("caller" in found) == ("roles" in found):
        node.refuse("a case names either a caller or roles")
    asked = operation(found["operation"])
    _fitting(node, found, asked)
    situation = Situation(
        frozenset(role_words(found["roles"], roles)) if "roles" in found else frozenset(),
        asked,
        reader.purpose(found["purpose"]) if "purpose" in found else "",
        read_view(found["view"]) if "view" in found else DEFAULT_VIEW if asked == "reveal" else "",
        _at(found["at"]) if "at" in found else 0.0,
        _address(found["network"]) if "network" in found else None,
        found["mode"].one_of(MODES, "mode") if "mode" in found else "live",
    )
    tags = conditions.tag_set(found["tags"]) if "tags" in found else frozenset[str]()
    if len(tags) > MAX_TAGS:
        found["tags"].refuse(f"a token has at most {MAX_TAGS} tags")
    row = Row(
        field(found["field"]) if "field" in found else "",
        tags,
        conditions.age(found["age"]) if "age" in found else 0,
        "own" in found and found["own"].truth(),
    )
    return Case(
        node.line,
        found["caller"].text() if "caller" in found else "",
        situation,
        "at" in found,
        row,
        found["expect"].one_of(("allow", "deny"), "answer") == "allow",
    )


def _fitting(node: Node, found: Mapping[str, Node], asked: str) -> None:
    """Refuse a case that leaves out what its operation has, or names what it has not."""
    kinds = (("field", asked in ON_VALUES), ("purpose", asked in SEEING))
    for key, has in kinds:
        if has and key not in found:
            node.refuse(f"{key} is missing here: the operation has one")
    fits = dict.fromkeys(("field", "tags", "age", "own"), asked in ON_VALUES)
    fits |= {"purpose": asked in SEEING, "view": asked == "reveal"}
    for key, has in fits.items():
        if key in found and not has:
            found[key].refuse(f"{key} says nothing here: the operation has none")


def _at(node: Node) -> float:
    value = node.value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(node.text(40))
        except ValueError:
            value = None
    if not isinstance(value, datetime) or value.tzinfo is None:
        node.refuse("at must be a time with its offset, such as 2026-11-25T09:00:00+08:00")
    try:
        return value.timestamp()
    except OverflowError:
        node.refuse("at must lie in the years 1 to 9999")


def _address(node: Node) -> str:
    text = node.text(64)
    if parse(text) is None:
        node.refuse("network must be the one address that it comes from, such as 10.1.2.3")
    return text
