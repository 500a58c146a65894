"""The arguments that `tokenize` and `reveal` share, and the way from one file to the other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from api.cli import columnwise, csvfile, outfile
from api.cli.failure import REFUSED_ROWS, Failure
from api.cli.mapping import Target, names_password, targets
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Job:
    """From which file to which (`output` None: standard output); `said`, `left` as in `mapping.targets`."""

    source: str
    output: Path | None
    force: bool
    said: tuple[str, ...]
    left: tuple[str, ...]
    encoding: str | None
    delimiter: str


SOURCE = click.Path(exists=True, dir_okay=False, allow_dash=True)
OUTPUT = click.Path(path_type=Path)
encoding_option = click.option(
    "--encoding",
    callback=lambda *given: _encoding(given[2]),
    help="Encoding of the file, such as gb18030; default UTF-8.",
)
delimiter_option = click.option(
    "--delimiter", default=",", show_default=True, callback=lambda *given: _delimiter(given[2]),
    help=r"Between cells; \t for tab.",
)  # fmt: skip
_OPTIONS = (
    click.argument("source", metavar="FILE", type=SOURCE),
    click.option("-o", "--output", type=OUTPUT, help="File to write, mode 0600; default stdout."),
    click.option("--force", is_flag=True, help="Replace the output file if it exists."),
    click.option(
        "--field", "said", multiple=True, metavar="COLUMN=TYPE",
        help="Field type of a column; columns named like a field type need none. Repeatable.",
    ),
    click.option("--keep", "left", multiple=True, metavar="COLUMN", help="Column to leave. Repeatable."),
    encoding_option,
    delimiter_option,
)  # fmt: skip


def files(command: Callable[..., R]) -> Callable[..., R]:
    """Add the arguments, and hand them to `command` as `job`."""
    from functools import wraps

    @wraps(command)
    def run(
        screen: Screen, client: Client, /, *, source: str, output: Path | None, force: bool,
        said: tuple[str, ...], left: tuple[str, ...], encoding: str | None, delimiter: str, **others: object,
    ) -> R:  # fmt: skip
        job = Job(source, output, force, said, left, encoding, delimiter)
        return command(screen, client, job=job, **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def work_through(
    screen: Screen,
    client: Client,
    job: Job,
    begin: Callable[[csvfile.CsvFile], tuple[columnwise.Work, columnwise.Check | None]],
    done: str,
) -> None:
    """Work through the file of `job`, tell what became of it, and exit with 1 if anything was refused.

    Args:
        begin: looks at the header and returns what to do with each column and each row.
        done: what became of the values, such as "tokenized".
    """
    if screen.json and job.output is None:
        raise Failure("--json needs --output: without, standard output is the file")
    if job.output is not None:
        outfile.check(job.output, job.force, job.source)
    types = client.fields()
    known = [kind.name for kind in types.fields]
    total = csvfile.count(job.source, job.encoding, job.delimiter) if job.source != "-" else None
    with csvfile.opened(job.source, job.encoding, job.delimiter) as file:
        found = targets(
            job.source, file.header, said=job.said, left=job.left, known=known, never=types.never_stored
        )
        work, check = begin(file)
        _warn(screen, job, file.header, found, types.never_stored)
        with (
            outfile.created(job.output, job.force, file.layout.encoding) as out,
            columnwise.bar(job.source, total) as bar,
        ):
            report = columnwise.run(file, out, found, work, check=check, progress=bar)
    columnwise.tell(screen, job.source, report, job.output, done)
    if report.refused:
        sys.exit(REFUSED_ROWS)


def _warn(screen: Screen, job: Job, header: list[str], found: list[Target], never: list[str]) -> None:
    if screen.json:
        return
    screen.note(
        "columns: " + ", ".join(f"{t.column} ({t.field})" if t.column != t.field else t.field for t in found)
    )
    for column in header:
        if column.lower() in never:
            screen.note(f"warning: {job.source}: {column} is copied as it is, {_but(column)}")


def _but(column: str) -> str:
    """Return what is wrong with keeping a column of that name."""
    if names_password(column):
        return "but passwords in a file are anybody's who reads it (POST /v1/passwords keeps hashes of them)"
    return "but must not be kept (PCI DSS v4.0.1, 3.3.1)"


def _encoding(name: str | None) -> str | None:
    import codecs

    try:
        if name is not None:
            "".encode(name)  # some are no encodings of text, such as rot13
            return codecs.lookup(name).name
        return None
    except (LookupError, UnicodeError):
        pass
    raise Failure(f"--encoding {name}: there is no such encoding", "such as utf-8, gb18030, utf-16, big5")


def _delimiter(text: str) -> str:
    mark = "\t" if text == r"\t" else text
    if len(mark) != 1 or mark in '"\r\n':
        raise Failure("--delimiter is one character")
    return mark
