"""Policies and questions made up by hypothesis, and a writer of TOML for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.vault.policy.oracle import ON_VALUES, SEEING, VIEWS, WEEK, Ask

FIELDS = ["bank_card", "bank_account", "phone", "email", "text"]
PURPOSES = ["settle", "risk", "market"]
VALUES = ["reveal", "compare", "tokenize", "delete"]
OTHERS = ["keys", "audit", "policy"]
ROLES = ["one", "two", "three"]
TAGS = ["vip", "hold", "eu"]
ZONES = ["Asia/Shanghai", "America/New_York", "UTC", "Australia/Lord_Howe"]
NETWORKS = {"office": ["10.1.0.0/16", "2001:db8::/32"], "home": ["192.0.2.0/24"]}
HOURS = ["08:00-20:00", "22:00-06:00", "00:00-24:00", "23:30-00:00", "01:30-02:15"]


def some(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)


@st.composite
def whens(draw: st.DrawFn, rows: bool) -> dict[str, Any]:
    optional: dict[str, st.SearchStrategy[Any]] = {
        "networks": some([*NETWORKS]),
        "modes": some(["live", "test"]),
    }
    if rows:
        optional["max_age"], optional["min_age"] = (
            st.sampled_from(["1h", "90d"]),
            st.sampled_from(["5s", "10m"]),
        )
        optional["own"] = st.just(True)
    when = draw(st.fixed_dictionaries({}, optional=optional))
    if draw(st.booleans()):
        when |= draw(st.fixed_dictionaries({"hours": st.sampled_from(HOURS)}, optional={"days": some(WEEK)}))
        when["zone"] = draw(st.sampled_from(ZONES))
    if rows and draw(st.booleans()):
        parted = draw(st.permutations(TAGS))
        when |= draw(
            st.sampled_from(
                [
                    {"tags": parted[:1]},
                    {"without_tags": parted[:2]},
                    {"tags": parted[:1], "without_tags": parted[1:]},
                ]
            )
        )
    return when or {"modes": ["live"]}


@st.composite
def rules(draw: st.DrawFn, allow: bool) -> dict[str, Any]:
    kind = draw(st.sampled_from(["values", "values", "values", "others", "every"]))
    rule: dict[str, Any] = {}
    if kind == "others":
        rule["operations"] = draw(some(OTHERS))
    else:
        rule["operations"] = draw(some(VALUES)) if kind == "values" else ["*"]
        if allow or draw(st.booleans()):
            rule["fields"] = draw(
                st.one_of(some(FIELDS), st.sampled_from([["*"], ["bank_*"], ["*a*"], ["p*e", "text"]]))
            )
        sees = kind == "every" or bool(SEEING & {*rule["operations"]})
        seen_alone = kind == "every" or SEEING.issuperset(rule["operations"])
        if (sees and allow) or (seen_alone and draw(st.booleans())):
            rule["purposes"] = draw(st.one_of(some(PURPOSES), st.just(["*"])))
        if (
            ("reveal" in rule["operations"] or kind == "every")
            and (allow or seen_alone)
            and draw(st.booleans())
        ):
            rule["view"], rule["reason"] = draw(st.sampled_from(VIEWS)), "why"
    if draw(st.booleans()) or not (
        allow or draw(st.booleans())
    ):  # else most denials would cover some allowance
        rule["when"] = draw(whens(rows=kind != "others"))
    return rule


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = {"format": 1, "networks": NETWORKS, "roles": {}}
    for at, name in enumerate(ROLES):
        role: dict[str, Any] = {"allow": draw(st.lists(rules(allow=True), min_size=1, max_size=4))}
        if denies := draw(st.lists(rules(allow=False), max_size=2)):
            role["deny"] = denies
        if at and draw(st.booleans()):
            role["includes"] = draw(some(ROLES[:at]))
        document["roles"][name] = role
    if denies := draw(st.lists(rules(allow=False), max_size=1)):
        document["deny"] = denies
    return document


def ask(pick: Random) -> Ask:
    """Return a question; not drawn by hypothesis, which would spend its time on that."""
    operation = pick.choice([*VALUES, *VALUES, *OTHERS])
    return Ask(
        tuple(pick.sample(ROLES, pick.choice([1, 1, 2]))),
        operation,
        pick.choice(FIELDS) if operation in ON_VALUES else "",
        pick.choice(PURPOSES) if operation in SEEING else "",
        pick.choice(VIEWS) if operation == "reveal" else "",
        1_793_000_000.0 + pick.randrange(366 * 24) * 3_600 + pick.choice([0, 899, 900, 1_799, 1_800]),
        pick.choice([None, "10.1.255.255", "10.2.0.0", "192.0.2.9", "2001:db8:1::", "2001:db9::"]),
        pick.choice(["live", "test"]),
        tuple(tag for tag in TAGS if pick.random() < 0.4),
        pick.choice([0, 5, 600, 3_600, 3_601, 30 * 86_400, 90 * 86_400 + 1]),
        pick.random() < 0.5,
    )


def written(document: Mapping[str, Any]) -> str:
    """Return a document as TOML: its tables under headers, rules as arrays of tables, all else inline."""
    lines = [
        f"{key} = {inline(value)}" for key, value in document.items() if not isinstance(value, dict | list)
    ]
    lines += [line for rule in document.get("deny", ()) for line in table("[[deny]]", rule)]
    lines += table("[networks]", document.get("networks", {}))
    for name, role in document.get("roles", {}).items():
        lines += table(
            f"[roles.{name}]", {key: value for key, value in role.items() if key not in ("allow", "deny")}
        )
        for kind in ("allow", "deny"):
            lines += [line for rule in role.get(kind, ()) for line in table(f"[[roles.{name}.{kind}]]", rule)]
    return "\n".join(lines) + "\n"


def table(header: str, members: Mapping[str, Any]) -> list[str]:
    return [header, *(f"{key} = {inline(value)}" for key, value in members.items())]


def inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {inline(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value)
