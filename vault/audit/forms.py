"""The two forms of an audit file, NDJSON and CSV: how its lines are written and read."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vault.audit.faults import FileDamaged
from vault.audit.notes import decode64
from vault.audit.readable import MEMBERS, members

FORMAT = "strongroom-audit-file/1"
_HEAD = ("format", "log", "from", "to", "made_at", "why")
_POSITIONS = (_HEAD.index("from"), _HEAD.index("to"))
_LAST = ("records", "checkpoint", "signature")
_NUMBER = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)

# What makes a spreadsheet take a cell as a formula (OWASP, "CSV Injection"), also in its full-width forms; and the mark
# in front that stops it, so that it can be taken off again.
_FORMULA = tuple("=+-@'\uff1d\uff0b\uff0d\uff20")
_SUSPECT = re.compile(r"\\|[^ -~]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4})")
_CELL = re.compile('"([^"]*(?:""[^"]*)*)"(,|$)')


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself.

    Attributes:
        log: the log's name.
        first, end: positions from and to before which records were taken; an archive has all of them.
        made_at: RFC 3339, UTC.
        why: a few words.
    """

    log: str
    first: int
    end: int
    made_at: str
    why: str


class Form(Protocol):
    """How lines are written, ends included, and read, without them; reading raises FileDamaged."""

    head_lines: int
    end: bytes

    def head(self, header: Header) -> bytes:
        """Return the first line or lines."""

    def entry(self, position: int, leaf: bytes) -> bytes:
        """Return a record's line."""

    def last(self, records: int, checkpoint: str, signature: str) -> bytes:
        """Return the last line."""

    def read_head(self, lines: Sequence[str]) -> Header:
        """Read the first line or lines."""

    def read_entry(self, line: str) -> tuple[int, bytes]:
        """Read a record's line: position and leaf."""

    def read_last(self, line: str) -> tuple[int, str, str]:
        """Read the last line: how many records, the newest checkpoint, the signature."""


class Ndjson:
    """A JSON object a line, in ASCII, so that no control or bidi character reaches a terminal."""

    head_lines, end = 1, b"\n"

    def head(self, header: Header) -> bytes:
        """Return the first line."""
        return self._line(dict(zip(_HEAD, _cells(header), strict=True)))

    def entry(self, position: int, leaf: bytes) -> bytes:
        """Return a record's line."""
        return self._line({"position": position, "leaf": _leaf(leaf), "record": members(leaf)})

    def last(self, records: int, checkpoint: str, signature: str) -> bytes:
        """Return the last line."""
        return self._line(dict(zip(_LAST, (records, checkpoint, signature), strict=True)))

    def read_head(self, lines: Sequence[str]) -> Header:
        """Read the first line."""
        found = _object(lines[0])
        return _header([found.get(name) for name in _HEAD])

    def read_entry(self, line: str) -> tuple[int, bytes]:
        """Read a record's line."""
        found = _object(line)
        return _whole(found.get("position")), _bytes(found.get("leaf"))

    def read_last(self, line: str) -> tuple[int, str, str]:
        """Read the last line."""
        found = _object(line)
        return _whole(found.get("records")), _text(found.get("checkpoint")), _text(found.get("signature"))

    def _line(self, content: Mapping[str, object]) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode() + self.end


class Csv:
    r"""A row a line (RFC 4180), every cell in quotes.

    In a cell a backslash is `\\`, and what is not printable (control, bidi and invisible characters) is `\u` or `\U`
    and its number in 4 or 8 hex digits; what a spreadsheet would take as a formula has `'` in front.
    """

    head_lines, end = 2, b"\r\n"

    def head(self, header: Header) -> bytes:
        """Return the first row, and that of the columns' names."""
        return self._row(_cells(header)) + self._row(["position", "leaf", *MEMBERS])

    def entry(self, position: int, leaf: bytes) -> bytes:
        """Return a record's row; lists have spaces between their parts."""
        return self._row([position, _leaf(leaf), *(members(leaf) or {}).values()])

    def last(self, records: int, checkpoint: str, signature: str) -> bytes:
        """Return the last row."""
        return self._row(["end", records, checkpoint, signature])

    def read_head(self, lines: Sequence[str]) -> Header:
        """Read the first row; the names of columns are for readers."""
        cells: list[object] = [*self._cells(lines[0])]
        for at in _POSITIONS:
            cells[at : at + 1] = [_digits(str(cell)) for cell in cells[at : at + 1]]
        return _header(cells)

    def read_entry(self, line: str) -> tuple[int, bytes]:
        """Read a record's row."""
        position, leaf = (*self._cells(line), "", "")[:2]
        return _digits(position), _bytes(leaf)

    def read_last(self, line: str) -> tuple[int, str, str]:
        """Read the last row."""
        cells = self._cells(line)
        if len(cells) != 1 + len(_LAST) or cells[0] != "end":
            raise FileDamaged("the last row is not there")
        return _digits(cells[1]), cells[2], cells[3]

    def _row(self, cells: Sequence[object]) -> bytes:
        return ",".join(f'"{_cell(cell)}"' for cell in cells).encode() + self.end

    def _cells(self, line: str) -> list[str]:
        """Return a row's cells as they were before they were written."""
        cells, at = [], 0
        while found := _CELL.match(line, at):
            cells.append(_ESCAPED.sub(_unescaped, found[1].replace('""', '"').removeprefix("'")))
            at = found.end()
            if not found[2]:
                return cells
        raise FileDamaged("a row is not as it was written")


def _cells(header: Header) -> list[object]:
    return [FORMAT, header.log, header.first, header.end, header.made_at, header.why]


def _header(cells: Sequence[object]) -> Header:
    if len(cells) != len(_HEAD) or cells[0] != FORMAT:
        raise FileDamaged("the first line is not that of an audit file")
    _, log, first, end, made_at, why = cells
    return Header(_text(log), _whole(first), _whole(end), _text(made_at), _text(why))


def _object(line: str) -> Mapping[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FileDamaged("a line is no JSON object")
    return found


def _whole(found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**63:
        raise FileDamaged("a number is none, or out of its range")
    return found


def _digits(text: str) -> int:
    return _whole(int(text) if _NUMBER.fullmatch(text) else None)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise FileDamaged("a text is missing")
    return found


def _bytes(found: object) -> bytes:
    leaf = decode64(_text(found))
    if leaf is None:
        raise FileDamaged("a leaf is not in base64")
    return leaf


def _leaf(leaf: bytes) -> str:
    return b64encode(leaf).decode()


def _cell(cell: object) -> str:
    text = " ".join(map(str, cell)) if isinstance(cell, list) else str(cell)
    mark = "'" if text.startswith(_FORMULA) else ""
    return mark + _SUSPECT.sub(_escape, text).replace('"', '""')


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\\":
        return r"\\"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def _unescaped(found: re.Match[str]) -> str:
    return "\\" if found[1] == "\\" else chr(int(found[1][1:], 16))
