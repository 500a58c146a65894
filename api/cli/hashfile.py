"""A file of another system's password hashes, sent 1,000 rows at a time; of a refused row, line and reason are kept."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TextIO

from api.cli.columnwise import LISTED, Check, Refusal
from api.cli.csvfile import CsvFile, Row
from api.cli.failure import Failure
from api.cli.mapping import position
from api.cli.tokenize import subject_check

if TYPE_CHECKING:
    from strongroom_client import PasswordsImported

ROWS = 1_000  # at a time
THERE = "password_exists"  # no refusal, but what makes an import that broke off go on where it was
WHOSE = {"login": "logins", "login_name": "login_names", "subject": "subjects"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a row has what, as places among its cells.

    Attributes:
        name: the argument of the client that takes whose the hashes are.
    """

    name: str
    whose: int
    hashes: int
    salts: int | None
    check: Check | None


@dataclass(slots=True)
class Report:
    """What became of a file; refused rows are counted by code, and the first of them kept; seconds of the whole."""

    rows: int = 0
    imported: int = 0
    there: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    first: list[Refusal] = field(default_factory=list)
    seconds: float = 0.0


# Sends columns by the client's argument names, and hears how many of their rows are done.
Send = Callable[[Mapping[str, list[str | None]], Callable[[int], None]], "PasswordsImported"]


def find(file: CsvFile, said: Mapping[str, str | None], hashes: str, salt: str | None) -> Columns:
    """Return the columns that `said` names, else those named as the options are; raise Failure.

    Args:
        said: column by kind: login, login_name, subject.
        hashes, salt: names of columns; None for "salt", if there is one; "" for none.
    """
    named = {kind: column for kind, column in said.items() if column is not None}
    named = named or {kind: kind for kind in WHOSE if kind in file.header}
    if len(named) != 1:
        what = "no column says" if not named else "more than one column says"
        raise Failure(
            f"{file.name}: {what} whose the hashes are", "say one of --login, --login-name and --subject"
        )
    ((kind, column),) = named.items()
    place = position(file.name, file.header, column)
    salt = "salt" if salt is None and "salt" in file.header else salt
    return Columns(
        WHOSE[kind], place, position(file.name, file.header, hashes),
        position(file.name, file.header, salt) if salt else None,
        subject_check(place, column) if kind == "subject" else None,
    )  # fmt: skip


def run(
    file: CsvFile,
    columns: Columns,
    send: Send,
    *,
    out: TextIO | None,
    progress: Callable[[int], None] | None,
) -> Report:
    """Send all rows of `file`.

    Args:
        out: gets the refused rows as CSV, as they come.
        progress: called with the number of rows done.
    """
    report, begun, rows = Report(), time.monotonic(), file.rows()
    writer = None if out is None else csv.writer(out, lineterminator="\n")
    if writer is not None:
        writer.writerow(("line", "code", "detail"))
    while batch := list(islice(rows, ROWS)):
        refused = _batch(batch, columns, send, report, progress)
        report.refused.update(refusal.code for refusal in refused)
        report.first += refused[: LISTED - len(report.first)]
        if writer is not None:
            writer.writerows((refusal.line, refusal.code, refusal.detail) for refusal in refused)
        report.rows += len(batch)
        report.seconds = time.monotonic() - begun
        if progress is not None:
            progress(report.rows)
    return report


def _batch(
    batch: Sequence[Row], columns: Columns, send: Send, report: Report, progress: Callable[[int], None] | None
) -> list[Refusal]:
    """Send what can be sent, count what was taken, and return what was refused, by line."""
    sound, refused = _sound(batch, columns)

    def tell(done: int) -> None:
        if progress is not None:
            progress(report.rows + done)

    if sound:
        found = send(_cells(sound, columns), tell)
        report.imported += found.imported
        report.there += sum(error.code == THERE for error in found.errors)
        refused += [
            Refusal(sound[error.index].line, None, error.code, error.detail)
            for error in found.errors
            if error.code != THERE
        ]
    return sorted(refused, key=lambda refusal: refusal.line)


def _sound(batch: Sequence[Row], columns: Columns) -> tuple[list[Row], list[Refusal]]:
    """Return the rows to send, and why others cannot be; an empty line is neither."""
    sound, refused = list[Row](), list[Refusal]()
    for row in batch:
        if row.wrong is not None:
            refused.append(Refusal(row.line, None, "malformed_row", row.wrong))
        elif row.cells and not (row.cells[columns.whose] and row.cells[columns.hashes]):
            refused.append(
                Refusal(row.line, None, "empty_cell", "the cell of the login or of the hash is empty")
            )
        elif row.cells:
            wrong = columns.check(row) if columns.check else None
            sound.append(row) if wrong is None else refused.append(wrong)
    return sound, refused


def _cells(rows: Sequence[Row], columns: Columns) -> dict[str, list[str | None]]:
    cells: dict[str, list[str | None]] = {
        "hashes": [row.cells[columns.hashes] for row in rows],
        columns.name: [row.cells[columns.whose] for row in rows],
    }
    if columns.salts is not None:
        place = columns.salts
        cells["salts"] = [row.cells[place] or None for row in rows]
    return cells
