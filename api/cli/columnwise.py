"""A file worked through column by column, 10,000 rows at a time; what is refused leaves an empty cell."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from api.cli.csvfile import CsvFile, Row
from api.cli.failure import Failure
from api.cli.mapping import Target
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import ItemError

ROWS = 10_000  # at a time
LISTED = 50  # refusals told on a terminal; --json tells all


@dataclass(frozen=True, slots=True)
class Refusal:
    """A cell that was refused, or a whole row if `column` is None."""

    line: int
    column: str | None
    code: str
    detail: str


@dataclass(slots=True)
class Report:
    """What became of a file; seconds of the whole."""

    rows: int = 0
    values: int = 0
    refused: list[Refusal] = field(default_factory=list)
    seconds: float = 0.0


# Work answers one column of a batch: target, values (None for nothing), rows, number of the first row from 0.
Answers = tuple[Sequence[str | None], "Sequence[ItemError]"]
Work = Callable[[Target, list[str | None], Sequence[Row], int], Answers]
Check = Callable[[Row], "Refusal | None"]


def run(
    file: CsvFile,
    out: TextIO,
    targets: Sequence[Target],
    work: Work,
    *,
    check: Check | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Copy `file` to `out` with the cells of `targets` replaced by what `work` answers.

    Args:
        check: says why a row is refused before it is worked on; then only its targets are emptied.
        progress: called with the number of rows done.
    """
    layout, report, begun = file.layout, Report(), time.monotonic()
    writer = csv.writer(out, delimiter=layout.delimiter, lineterminator=layout.newline)
    writer.writerow(file.header)
    rows = file.rows()
    while batch := list(islice(rows, ROWS)):
        sound = _sound(batch, targets, check, len(file.header), report)
        for target in targets:
            _column(target, sound, work, report)
        written = _write(writer, batch)
        report.rows += len(batch)
        report.seconds = time.monotonic() - begun
        if not written:
            raise Failure(
                f"a value cannot be written in {layout.encoding}", "say --encoding gb18030 or utf-8"
            )
        if progress is not None:
            progress(report.rows)
    report.refused.sort(key=lambda refusal: refusal.line)
    return report


def _sound(
    batch: list[Row], targets: Sequence[Target], check: Check | None, width: int, report: Report
) -> list[Row]:
    """Return the rows to work on; empty the others, whose cells may be in the wrong places."""
    sound = []
    for row in batch:
        if row.wrong is not None:
            report.refused.append(Refusal(row.line, None, "malformed_row", row.wrong))
            row.cells = [""] * width
            continue
        refusal = check(row) if check and row.cells else None
        if refusal is not None:
            report.refused.append(refusal)
            for target in targets:
                row.cells[target.position] = ""
        elif row.cells:
            sound.append(row)
    return sound


def _column(target: Target, rows: Sequence[Row], work: Work, report: Report) -> None:
    values = [row.cells[target.position] or None for row in rows]
    answers, errors = work(target, values, rows, report.rows)
    for row, answer in zip(rows, answers, strict=True):
        row.cells[target.position] = answer or ""
    report.values += sum(answer is not None for answer in answers)
    report.refused += [
        Refusal(rows[e.index].line, target.column, e.code, e.detail.removeprefix(f"{target.field}: "))
        for e in errors
    ]


def _write(writer: object, batch: Sequence[Row]) -> bool:
    try:
        writer.writerows(row.cells for row in batch)  # type: ignore[attr-defined]
    except UnicodeEncodeError:  # holds the text: told by the caller, outside
        return False
    return True


def tell(screen: Screen, source: str, report: Report, output: Path | None, done: str) -> None:
    """Tell the user what became of the file; raise the exit code 1 if anything was refused."""
    if screen.json:
        refused = [{name: getattr(item, name) for name in Refusal.__slots__} for item in report.refused]
        screen.data({
            "rows": report.rows, "values": report.values, "refused": refused,
            "output": str(output) if output else None, "seconds": round(report.seconds, 3),
        })  # fmt: skip
        return
    for item in report.refused[:LISTED]:
        column = f"{item.column}: " if item.column is not None else ""
        screen.note(f"{source}:{item.line}: {column}{item.detail} ({item.code})")
    if len(report.refused) > LISTED:
        screen.note(f"… and {len(report.refused) - LISTED} more; --json lists them all")
    summary = f"rows: {report.rows}, {done}: {report.values}, refused: {len(report.refused)}"
    screen.note(f"{summary} -> {output}" if output else summary)


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Callable[[int], None] | None]:
    """Show a progress bar on standard error while a file is worked on; nothing where that is no terminal."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*looks, console=Console(stderr=True)) as shown:
        task = shown.add_task(title, total=total)
        yield lambda done: shown.update(task, completed=done)
