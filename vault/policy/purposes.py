"""Purposes: the built-in ones, and those that the document adds, each with what it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vault.columns import FORMER_PURPOSES, PURPOSES
from vault.policy.cursor import Node
from vault.policy.model import Need

BUILT_IN_NEEDS: dict[str, frozenset[Need]] = {"market": frozenset({"consent"}), "legal": frozenset({"case"})}
NEEDS: dict[str, Need] = {"case": "case", "consent": "consent"}
MAX_PURPOSES = 100
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a purpose needs, and what people call it; empty where that is not said."""

    needs: frozenset[Need]
    label: str = ""


BUILT_IN_PURPOSES = {name: Purpose(BUILT_IN_NEEDS.get(name, frozenset())) for name in sorted(PURPOSES)}


def read(node: Node) -> dict[str, Purpose]:
    """Return all purposes by name. A built-in one may get a label and further needs, and keeps its own."""
    found = node.members()
    if len(found) > MAX_PURPOSES:
        node.refuse(f"there are at most {MAX_PURPOSES} purposes beside the built-in ones")
    return BUILT_IN_PURPOSES | {name: _purpose(name, inner) for name, inner in found.items()}


def _purpose(name: str, node: Node) -> Purpose:
    if name in FORMER_PURPOSES:
        node.refuse(f"this is a former name: the purpose is now called {FORMER_PURPOSES[name]}")
    if not _NAME.fullmatch(name):
        node.refuse("a purpose's name has 1 to 32 of a-z, 0-9 and -, a letter first")
    found = node.table("label", "needs")
    words = found["needs"].words() if "needs" in found else []
    needs = frozenset(NEEDS[word.one_of(NEEDS, "need")] for word in words)
    label = found["label"].text(64) if "label" in found else ""
    return Purpose(needs | BUILT_IN_NEEDS.get(name, frozenset()), label)
