"""On which line each table, key and item of a TOML document stands: `tomllib` reads the document, but does not tell.

The scanner knows the tokens of TOML 1.0 and no more of its rules: it takes every document that `tomllib` takes, and
finds the same keys in it. It refuses what would cost `tomllib` more than linear time, or a deep stack.

>>> lines_of('[roles.clerk]\\nlabel = "Front"\\n')
{('roles',): 1, ('roles', 'clerk'): 1, ('roles', 'clerk', 'label'): 2}
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import NoReturn

from vault.errors import PolicyInvalid

Path = tuple[str | int, ...]  # names of keys, and numbers of items counted from 0

MAX_PARTS = 8  # of one dotted key
MAX_NESTING = 8  # of arrays and inline tables

_BLANK = re.compile(
    r"[ \t\n]*+(?:#[^\n]*+[ \t\n]*+)*+"
)  # the quantifiers are possessive: nothing is tried twice
_SPACE = re.compile(r"[ \t]*+")
_END = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\n|\Z)")
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_QUOTED = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"' + r"|'[^'\n]*+'")
_LONG = re.compile(
    r'"""[^"\\]*+(?:(?:\\.|"{1,2}(?!"))[^"\\]*+)*+"{3,5}' + r"|'''[^']*+(?:'{1,2}(?!')[^']*+)*+'{3,5}",
    re.DOTALL,
)
_SCALAR = re.compile(
    r"[A-Za-z0-9+\-_.:]{1,64}+(?: [0-9][A-Za-z0-9+\-.:]{0,31}+)?"
)  # 1979-05-27 07:32:00 has a space


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, where each table, key and item first stands.

    Args:
        text: with lines that end in LF alone, as `tomllib` makes them.
    Raises:
        PolicyInvalid: a token that TOML does not have, a key that is there twice, or one too long or nested too deep.
    """
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self._taken: dict[Path, int] = {}  # keys with a value, and tables by their own header
        self._counts: dict[Path, int] = {}  # tables of each array of tables

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            if not self._skip(_END):
                self._refuse("what stands behind the value or header is not TOML")
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Path:
        line, several = self._line(), self._text.startswith("[[", self._at)
        close = "]]" if several else "]"
        self._at += len(close)
        *parents, name = self._key()
        self._expect(close)
        place = self._into((), parents, line)
        if several:
            array = (*place, name)
            self._lines.setdefault(array, line)
            self._counts[array] = self._counts.get(array, 0) + 1
        place = self._into(place, [name], line)
        self._take(place, line)
        return place

    def _pair(self, table: Path, depth: int = 0) -> None:
        line = self._line()
        *parents, name = self._key()
        self._expect("=")
        self._skip(_SPACE)
        place = (*self._into(table, parents, line), name)
        self._take(place, line)
        self._value(place, depth)

    def _value(self, place: Path, depth: int) -> None:
        self._lines.setdefault(place, self._line())
        opening = self._text[self._at : self._at + 1]
        if opening in ("[", "{") and depth == MAX_NESTING:
            self._refuse(f"arrays and tables are nested in each other at most {MAX_NESTING} deep")
        if opening == "[":
            self._array(place, depth + 1)
        elif opening == "{":
            self._inline(place, depth + 1)
        elif not (self._skip(_LONG) or self._skip(_QUOTED) or self._skip(_SCALAR)):
            self._refuse("there is no value that TOML has")

    def _array(self, place: Path, depth: int) -> None:
        self._at += 1
        number = 0
        while not self._met("]", _BLANK):
            if number:
                self._expect(",", _BLANK)
                if self._met("]", _BLANK):
                    return
            self._value((*place, number), depth)
            number += 1

    def _inline(self, place: Path, depth: int) -> None:
        self._at += 1
        first = True
        while not self._met("}", _SPACE):
            if not first:
                self._expect(",")
            self._pair(place, depth)
            first = False

    def _key(self) -> list[str]:
        parts = [self._part()]
        while self._met(".", _SPACE):
            if len(parts) == MAX_PARTS:
                self._refuse(f"a key has at most {MAX_PARTS} parts")
            parts.append(self._part())
        return parts

    def _part(self) -> str:
        self._skip(_SPACE)
        begin = self._at
        if self._skip(_BARE):
            return self._text[begin : self._at]
        if self._skip(_QUOTED):
            try:  # the escapes, by the one who reads them in the end
                return str(tomllib.loads(f"k = {self._text[begin : self._at]}")["k"])
            except ValueError:
                pass
        return self._refuse("there is no key that TOML has")

    def _into(self, place: Path, parts: list[str], line: int) -> Path:
        """Return the table behind `parts`, of an array of tables its last one."""
        for part in parts:
            place = (*place, part)
            self._lines.setdefault(place, line)
            if count := self._counts.get(place):
                place = (*place, count - 1)
                self._lines.setdefault(place, line)
        return place

    def _take(self, place: Path, line: int) -> None:
        if place in self._taken:
            raise PolicyInvalid(f"this is there already, on line {self._taken[place]}", line)
        self._taken[place] = line
        self._lines.setdefault(place, line)

    def _expect(self, sign: str, blank: re.Pattern[str] = _SPACE) -> None:
        if not self._met(sign, blank):
            self._refuse(f"there should be {sign} here")

    def _met(self, sign: str, blank: re.Pattern[str]) -> bool:
        """Go past `sign` if it is what comes next."""
        self._skip(blank)
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self._text, self._at)
        if match is None:
            return False
        self._at = match.end()
        return True

    def _line(self) -> int:
        return bisect_left(self._ends, self._at) + 1

    def _refuse(self, reason: str) -> NoReturn:
        raise PolicyInvalid(reason, self._line())
