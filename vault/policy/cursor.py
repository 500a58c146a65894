"""A place in the parsed document: what stands there comes out as the type that is asked for, or is refused by its line.

A reason never repeats what the document says: the line shows it, and what was pasted by mistake stays out of logs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from vault.errors import PolicyInvalid
from vault.policy.positions import Path

MAX_ITEMS = 256  # of one list
LONGEST = 200  # characters of a label or reason


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document, where it stands, the lines of all places, and what reasons call it."""

    value: object
    path: Path
    lines: Mapping[Path, int]
    title: str = "the document"

    @property
    def line(self) -> int:
        """Return the line that it begins on; 0 for the whole document."""
        return self.lines.get(self.path, 0)

    def refuse(self, reason: str) -> NoReturn:
        """Raise PolicyInvalid with this line."""
        raise PolicyInvalid(reason, self.line)

    def members(self) -> dict[str, Node]:
        """Return the members of a table whose keys are the author's own."""
        return {key: self._inner(value, key, "it") for key, value in self._pairs()}

    def table(self, *known: str, required: Iterable[str] = ()) -> dict[str, Node]:
        """Return the members of a table that has `known` keys alone, and all that are `required`."""
        found = {key: self._inner(value, key, key) for key, value in self._pairs()}
        for key, node in found.items():
            if key not in known:
                node.refuse(f"there is no key of that name here; {near(key, known)}")
        for key in required:
            if key not in found:
                self.refuse(f"{key} is missing here")
        return found

    def tables(self) -> list[Node]:
        """Return the tables of an array of tables."""
        return self._items("an array of tables")

    def words(self) -> list[Node]:
        """Return the strings of a list that is not empty and has none twice."""
        nodes, seen = self._items("a list of strings"), set[str]()
        if not 1 <= len(nodes) <= MAX_ITEMS:
            self.refuse(f"{self.title} must have 1 to {MAX_ITEMS} items")
        for node in nodes:
            word = node.text()
            if word in seen:
                node.refuse(f"{node.title} is in the list already")
            seen.add(word)
        return nodes

    def text(self, longest: int = LONGEST) -> str:
        """Return a string of 1 to `longest` characters, each of which is seen when it is printed."""
        if not isinstance(self.value, str) or not 1 <= len(self.value) <= longest:
            self.refuse(f"{self.title} must be a string of 1 to {longest} characters")
        if not is_seen(self.value):
            self.refuse(f"{self.title} has a control character, or one that hides or reorders others")
        return self.value

    def matching(self, pattern: re.Pattern[str], what: str) -> str:
        """Return a string that `pattern` fits as a whole; `what` says that in words."""
        text = self.text()
        if not pattern.fullmatch(text):
            self.refuse(f"{self.title} must be {what}")
        return text

    def one_of(self, known: Collection[str], kind: str) -> str:
        """Return a string that is one of `known`, each of which is a `kind`."""
        text = self.text()
        if text not in known:
            self.refuse(f"{self.title}: there is no {kind} of that name; {near(text, known)}")
        return text

    def whole(self, low: int, high: int) -> int:
        """Return an integer from `low` to `high`."""
        if type(self.value) is not int or not low <= self.value <= high:  # a bool is an int, too
            self.refuse(f"{self.title} must be a whole number, {low:,} to {high:,}")
        return self.value

    def truth(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.refuse(f"{self.title} must be true or false")
        return self.value

    def _pairs(self) -> Iterable[tuple[str, object]]:
        if not isinstance(self.value, dict):
            self.refuse(f"{self.title} must be a table")
        return self.value.items()

    def _items(self, what: str) -> list[Node]:
        if not isinstance(self.value, list):
            self.refuse(f"{self.title} must be {what}")
        return [
            self._inner(value, at, f"{self.title}, item {at + 1},") for at, value in enumerate(self.value)
        ]

    def _inner(self, value: object, part: str | int, title: str) -> Node:
        return Node(value, (*self.path, part), self.lines, title)


def near(text: str, known: Collection[str]) -> str:
    """Return a hint: the known name that is nearest, or all of them."""
    close = difflib.get_close_matches(text[:64], known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(sorted(known))}" if known else "there are none"


def is_seen(text: str) -> bool:
    """Return whether every character of `text` is printed as itself: no control, bidi or zero-width mark, no surrogate.

    Unicode's general categories Cc, Cf, Cs, Co, Cn, Zl, Zp, and Zs but for the space and the ideographic space.
    """
    return text.replace("\u3000", " ").isprintable()
