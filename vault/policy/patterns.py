"""Simple wildcards: * stands for any characters, none included. Nothing else is special, and matching is linear.

>>> matches("bank_*", "bank_card"), matches("*_id", "resident_ids")
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Collection

from vault.policy.cursor import Node, near

LONGEST = 64  # characters of a pattern with wildcards
MOST = 3  # wildcards of one
_FIELD = re.compile(r"[a-z0-9_*]+")


def matches(pattern: str, text: str) -> bool:
    """Return whether the whole of `text` fits: each piece is looked for once, behind the one before."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    *middle, last = middle
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def check(node: Node, text: str) -> None:
    """Refuse a pattern that is too long, or has too many wildcards or two side by side."""
    if "*" not in text:
        return
    if len(text) > LONGEST:
        node.refuse(f"{node.title} is too long: a name with wildcards has at most {LONGEST} characters")
    if text.count("*") > MOST or "**" in text:
        node.refuse(f"{node.title} must have at most {MOST} wildcards, none beside another")


def expand(node: Node, known: Collection[str], kind: str) -> frozenset[str] | None:
    """Return the known names that a list of names and patterns means; None for all, which is ["*"]."""
    words = node.words()
    if [word.value for word in words] == ["*"]:
        return None
    return frozenset[str]().union(*(_expand(word, known, kind) for word in words))


def _expand(word: Node, known: Collection[str], kind: str) -> Collection[str]:
    text = word.text()
    if text == "*":
        word.refuse(f"* is every {kind}, so it stands alone")
    if not _FIELD.fullmatch(text):
        word.refuse(
            f"{word.title} must be the name of a {kind}; * in it stands for any letters, and nothing else does"
        )
    check(word, text)
    if "*" not in text:
        return [word.one_of(known, kind)]
    found = [name for name in known if matches(text, name)]
    if not found:
        word.refuse(f"{word.title} fits no {kind}; {near(text, known)}")
    return found
