"""What the user sees: results on standard output, everything else on standard error, JSON where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import click
import msgspec


class Screen:
    """One command's output; `json` turns results, and the failure if there is one, into one JSON object."""

    def __init__(self) -> None:
        self.json = False

    def say(self, text: str) -> None:
        """Print a line of the result."""
        click.echo(printable(text))

    def note(self, text: str) -> None:
        """Print a line that is not the result."""
        click.echo(printable(text), err=True)

    def data(self, value: object) -> None:
        """Print the result as JSON; what is not printable is escaped there, too."""
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        click.echo(text if text.isascii() else "".join(map(_json_printable, text)))

    def failed(self, text: str, hint: str | None, details: Mapping[str, object]) -> None:
        """Say why the command cannot go on."""
        if self.json:
            self.data({"error": {"detail": text, "hint": hint, **details}})
            return
        more = [f"at {details['pointer']}"] if "pointer" in details else []
        more += [f"request {details['request_id']}"] if "request_id" in details else []
        more += [f"again after {details['retry_after']:g} s"] if "retry_after" in details else []
        self.note(f"error: {text} ({', '.join(more)})" if more else f"error: {text}")
        if hint:
            self.note(f"hint: {hint}")

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows under titles: drawn on a terminal, else one a line, cells separated by tabs."""
        if not sys.stdout.isatty():
            for row in (titles, *rows):
                self.say("\t".join(_text(cell) for cell in row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for title in titles:
            table.add_column(title, no_wrap=title == "id")  # in one piece, to be copied
        for row in rows:
            table.add_row(*(Text(printable(_text(cell)), overflow="fold") for cell in row))
        Console().print(table)


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return ", ".join(map(str, cell)) if isinstance(cell, (list, tuple)) else str(cell)


def printable(text: str) -> str:
    """Return `text` with control, bidi and invisible characters, which could drive or fool a terminal, as their codes.

    Tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _code(c) for c in text)


def _code(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{{{number:x}}}"


def _json_printable(character: str) -> str:
    """Return a character of a JSON text so that only printable ones and line ends are left."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1]
