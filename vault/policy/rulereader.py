"""Rules as the document writes them, `allow` and `deny`: read, checked, and brought to what they speak of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vault import fields
from vault.columns import FORMER_PURPOSES
from vault.errors import ForbiddenField, UnknownField
from vault.policy import conditions
from vault.policy.cursor import Node
from vault.policy.model import ON_VALUES, SEEING, VIEWS, Decision
from vault.policy.networks import Network
from vault.policy.patterns import expand
from vault.policy.purposes import Purpose
from vault.policy.rules import ALWAYS, EVERY, Rule

KEYS = ("operations", "fields", "purposes", "view", "reason", "when")
DEFAULT_VIEW = "masked"
ALLOWED, DENIED = "a rule allows it", "a rule denies it"

Found = Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Reader:
    """What rules may name beside operations and fields: the document's purposes and networks."""

    purposes: Mapping[str, Purpose]
    networks: Mapping[str, Network]

    def rule(self, node: Node, role: str, allows: bool) -> Rule:
        """Return a rule of `role`; empty for every role."""
        found = node.table(*KEYS)
        asked = operations(found["operations"]) if "operations" in found else EVERY
        _complete(node, found, asked, allows)
        reached = expand(found["fields"], fields.names(), "field") if "fields" in found else None
        purposes = self._purposes(found["purposes"]) if "purposes" in found else None
        when = conditions.read(found["when"], self.networks) if "when" in found else ALWAYS
        view = read_view(found["view"]) if "view" in found else DEFAULT_VIEW if allows else None
        if reached is not None or when.asks_rows:
            asked = _narrowed(found, asked, ON_VALUES, "fields, or a condition on rows,")
        if not allows and (purposes is not None or view is not None):
            asked = _narrowed(found, asked, SEEING, "a denial's purposes or view")
        why = found["reason"].text() if "reason" in found else ""
        if allows and view == "full" and not why:
            found["view"].refuse("reason is missing here: full must say why (PCI DSS v4.0.1, 3.4.1)")
        decision = Decision(allows, node.line, ALLOWED if allows else DENIED)
        return Rule(node.line, role, allows, asked, reached, purposes, view, when, why, decision)

    def _purposes(self, node: Node) -> frozenset[str] | None:
        words = node.words()
        if [word.value for word in words] == ["*"]:
            return None
        return frozenset(self.purpose(word) for word in words)

    def purpose(self, word: Node) -> str:
        """Return a purpose's name."""
        former = FORMER_PURPOSES.get(word.text())
        if former:
            word.refuse(f"{word.title} is a former name: the purpose is now called {former}")
        return word.one_of(self.purposes, "purpose")


def operations(node: Node) -> frozenset[str]:
    """Return the operations that a list names."""
    for word in node.words():
        operation_word(word)
    return expand(node, sorted(EVERY), "operation") or EVERY


def operation(node: Node) -> str:
    """Return the one operation that a string names."""
    operation_word(node)
    return node.one_of(EVERY, "operation")


def operation_word(node: Node) -> None:
    """Refuse the operation of API keys which here is a view."""
    if node.text() == "reveal_plain":
        node.refuse(
            f'{node.title} is of API keys alone; here it is operations = ["reveal"] with view = "full"'
        )


def field(node: Node) -> str:
    """Return the field type that a string names."""
    try:
        return fields.get(node.text()).name
    except ForbiddenField:
        return node.refuse(f"{node.title}: no field may hold this")
    except UnknownField:
        return node.one_of(fields.names(), "field")


def read_view(node: Node) -> str:
    """Return the view that a string names."""
    if node.text() == "plain":
        node.refuse("view: plain is a former name: the view is now called full")
    return node.one_of(VIEWS, "view")


def _complete(node: Node, found: Found, asked: frozenset[str], allows: bool) -> None:
    """Refuse a rule that leaves out what must be said by name, or says what says nothing of its operations."""
    if allows and "operations" not in found:
        node.refuse("operations is missing here")
    if allows and asked & ON_VALUES and "fields" not in found:
        node.refuse('fields is missing here: there are operations on values; every field is ["*"]')
    if allows and asked & SEEING and "purposes" not in found:
        node.refuse('purposes is missing here: reveal and compare have one; every purpose is ["*"]')
    if not allows and not found.keys() - {"reason"}:
        node.refuse('this would deny everything; if it should, say operations = ["*"]')
    for key, kind in (("fields", ON_VALUES), ("purposes", SEEING), ("view", frozenset({"reveal"}))):
        if key in found and asked.isdisjoint(kind):
            found[key].refuse(f"{key} says nothing here: it is of {', '.join(sorted(kind))}")


def _narrowed(found: Found, asked: frozenset[str], kind: frozenset[str], limit: str) -> frozenset[str]:
    """Return the operations that a rule with such a limit speaks of: of every one those of `kind`.

    So that every operation on one field, or on a person's own rows, is never a right to turn keys.
    """
    if "operations" not in found or found["operations"].value == ["*"]:
        return asked & kind
    if not asked <= kind:
        narrow = ", ".join(sorted(kind))
        found["operations"].refuse(f"{limit} are of {narrow}: give the other operations a rule of their own")
    return asked
