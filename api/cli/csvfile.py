"""A CSV file read as a stream: rows with the line they begin on, and what is wrong with those that are."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TextIO

from api.cli.failure import Failure

LONGEST_CELL = 1 << 20  # characters: beyond, a quote was never closed and the cell swallows the file
_ENDLESS = (
    "unexpected end of data",
    f"field larger than field limit ({LONGEST_CELL})",
)  # texts of module csv
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(slots=True, repr=False)
class Row:
    """A row and the physical line it begins on, from 1; `wrong` says why its cells cannot be used."""

    line: int
    cells: list[str]
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written, so that what is made of it looks the same."""

    encoding: str
    delimiter: str
    newline: str


class CsvFile:
    """An open CSV file whose first row names the columns."""

    def __init__(self, name: str, text: TextIO, encoding: str, delimiter: str) -> None:
        self.name = name
        first = text.readline()
        newline = "\r\n" if first.endswith("\r\n") else "\r" if first.endswith("\r") else "\n"
        self.layout = Layout(encoding, delimiter, newline)
        self._reader = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
        header = next(self._rows(), None) if first else None
        if header is None:
            raise Failure(f"{name} is empty", "its first line names the columns")
        if header.wrong or not any(header.cells):
            raise Failure(f"{name}: line 1: {header.wrong or 'it is empty, and must name the columns'}")
        self.header = header.cells

    def rows(self) -> Iterator[Row]:
        """Yield every row after the header, also those that are wrong; an empty line has no cells."""
        for row in self._rows():
            if row.cells and row.wrong is None and len(row.cells) != len(self.header):
                row.wrong = f"{_cells(len(row.cells))}, the header has {len(self.header)}"
            yield row

    def _rows(self) -> Iterator[Row]:
        while True:
            line = self._reader.line_num + 1
            try:
                row = Row(line, next(self._reader))
            except StopIteration:
                return
            except csv.Error as error:
                row = Row(line, [], str(error))
            if row.wrong in _ENDLESS:
                raise Failure(f"{self.name}: line {line}: a quote is opened and never closed")
            if row.wrong is not None:
                row.wrong = "a cell goes on after its closing quote"
            yield row


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


@contextmanager
def opened(path: str, encoding: str | None, delimiter: str) -> Iterator[CsvFile]:
    """Open the file at `path`, or standard input for "-"; raise Failure if it is no CSV in that encoding.

    Args:
        encoding: as Python names it; None for UTF-8 with or without a byte order mark.
    """
    csv.field_size_limit(LONGEST_CELL)
    wrong = None
    with contextlib.nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as binary:
        encoding = encoding or _detect(path, binary)
        text = io.TextIOWrapper(binary, encoding=encoding, newline="")
        try:
            yield CsvFile(path, text, encoding, delimiter)
        except UnicodeDecodeError as error:
            wrong = error.encoding
        finally:
            text.detach()
    if wrong:
        hint = "say which encoding it has, such as --encoding gb18030"
        raise Failure(f"{path}{_where(path, wrong)} is not {wrong}", hint)


def _detect(path: str, binary: BinaryIO) -> str:
    start = binary.peek(4)[:4] if isinstance(binary, io.BufferedReader) else b""
    if start.startswith(_UTF16):
        raise Failure(f"{path} is UTF-16", "say --encoding utf-16")
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def _where(path: str, encoding: str) -> str:
    """Return which line cannot be decoded; nothing where lines cannot be told apart before decoding."""
    if path == "-" or "16" in encoding or "32" in encoding:
        return ""
    with Path(path).open("rb") as binary:
        for number, line in enumerate(binary, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return f": line {number}"
    return ""


def count(path: str, encoding: str | None, delimiter: str) -> int:
    """Read the whole file once, before anything is sent, and return the number of its rows; raise Failure."""
    with opened(path, encoding, delimiter) as file:
        return sum(1 for _ in file.rows())
