"""Roles: what each is called, which it includes, how much it may reveal, and its rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vault.policy.cursor import Node
from vault.policy.model import Budget
from vault.policy.rulereader import Reader
from vault.policy.rules import Rule

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NAMED = "1 to 32 of a-z, 0-9, _ and -, a letter first"
MAX_ROLES = 100
MAX_RULES = 1_000
MOST = 1_000_000_000  # values of a budget
WINDOWS = ("minute", "hour", "day")


@dataclass(frozen=True, slots=True)
class Role:
    """A role as the document has it.

    Attributes:
        includes: the roles that it names.
        whole: those and theirs and so on, and itself.
        budget: None where it names none.
        rules: its own, in the order of the document.
    """

    name: str
    line: int
    label: str
    includes: tuple[str, ...]
    whole: frozenset[str]
    budget: Budget | None
    rules: tuple[Rule, ...]


def read(node: Node, reader: Reader) -> dict[str, Role]:
    """Return the roles of the document by name."""
    found = node.members()
    if len(found) > MAX_ROLES:
        node.refuse(f"there are at most {MAX_ROLES} roles")
    for name, inner in found.items():
        if not NAME.fullmatch(name):
            inner.refuse(f"a role's name has {NAMED}")
    parts = {
        name: inner.table("label", "includes", "budget", "allow", "deny") for name, inner in found.items()
    }
    includes = {name: _includes(part, found) for name, part in parts.items()}
    wholes = _wholes(includes)
    return {
        name: Role(
            name, found[name].line, label(part), tuple(str(word.value) for word in includes[name]), wholes[name],
            _budget(part["budget"]) if "budget" in part else None, rules(part, name, reader),
        )
        for name, part in parts.items()
    }  # fmt: skip


def rules(part: Mapping[str, Node], role: str, reader: Reader) -> tuple[Rule, ...]:
    """Return the rules under the keys `allow` and `deny`, in the order of the document."""
    read = [
        reader.rule(node, role, allows)
        for key, allows in (("allow", True), ("deny", False))
        if key in part
        for node in part[key].tables()
    ]
    return tuple(sorted(read, key=lambda rule: rule.line))


def label(part: Mapping[str, Node]) -> str:
    """Return what people call it; empty where that is not said."""
    return part["label"].text(64) if "label" in part else ""


def role_words(node: Node, known: Iterable[str]) -> tuple[str, ...]:
    """Return the roles that a list names."""
    names = tuple(known)
    return tuple(word.one_of(names, "role") for word in node.words())


def _includes(part: Mapping[str, Node], known: Mapping[str, Node]) -> list[Node]:
    if "includes" not in part:
        return []
    role_words(part["includes"], known)
    return part["includes"].words()


def _wholes(includes: Mapping[str, list[Node]]) -> dict[str, frozenset[str]]:
    """Return each role with all that it includes; refuse the line by which one comes to include itself."""
    wholes: dict[str, frozenset[str]] = {}
    open_ones: list[str] = []  # at most MAX_ROLES deep

    def whole(name: str) -> frozenset[str]:
        if name not in wholes:
            open_ones.append(name)
            for word in includes[name]:
                if word.value in open_ones:
                    way = [*open_ones[open_ones.index(str(word.value)) :], str(word.value)]
                    word.refuse(f"roles include each other in a circle: {' > '.join(way[:8])}")
            inner = [whole(str(word.value)) for word in includes[name]]
            wholes[name] = frozenset({name}).union(*inner)
            open_ones.pop()
        return wholes[name]

    return {name: whole(name) for name in includes}


def _budget(node: Node) -> Budget:
    found = node.table(*WINDOWS)
    if not found:
        node.refuse("a budget names a minute, an hour or a day")
    read = {window: found[window].whole(1, MOST) for window in WINDOWS if window in found}
    for window, longer in (("minute", "hour"), ("hour", "day"), ("minute", "day")):
        if window in read and longer in read and read[window] > read[longer]:
            found[window].refuse(f"in one {window} more than in one {longer}")
    return Budget(**read)
