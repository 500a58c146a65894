"""`strongroom tokenize`: a CSV file with values becomes one with tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from api.cli.columnwise import Check, Refusal, Work
from api.cli.connection import online
from api.cli.csvfile import CsvFile, Row
from api.cli.failure import going_on
from api.cli.files import Job, files, work_through
from api.cli.mapping import Target, position
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, ItemError

LONGEST_SUBJECT = 128  # characters


@click.command(short_help="Replace values of a CSV file by tokens.")
@online
@files
@click.option(
    "--subject", metavar="COLUMN", help="Column with your own id of the person or company of each row."
)
@click.option("--kind", type=click.Choice(["opaque", "shaped", "one_way"]), help="Default opaque.")
@click.option("--deterministic", is_flag=True, help="The same value gets the same token.")
@click.option("--scope", help="Space in which deterministic tokens are the same; default the field.")
@click.option(
    "--ttl",
    type=click.IntRange(1, 3_155_760_000),
    metavar="SECONDS",
    help="Seconds to live; default for ever.",
)
@click.option("--tag", "tags", multiple=True, help="Word that the policy may ask for, at most 8. Repeatable.")
@click.option("--source", "origin", help="Channel or partner that the values came from.")
@click.option(
    "--keep-first", type=click.IntRange(0, 8), default=0, help="Leading characters shaped tokens keep."
)
@click.option(
    "--keep-last", type=click.IntRange(0, 4), default=0, help="Trailing characters shaped tokens keep."
)
@click.option(
    "--check", type=click.Choice(["invalid", "valid"]), help="Check digit of shaped tokens; default invalid."
)
@click.option("--lookalike", is_flag=True, help="Shaped tokens may look like real values.")
@click.option(
    "--idempotency-key",
    metavar="TEXT",
    help="A name for this run: repeated, it makes no second set of tokens.",
)
def tokenize(
    screen: Screen, client: Client, /, *, job: Job, subject: str | None, origin: str | None, ttl: int | None,
    idempotency_key: str | None, **options: object,
) -> None:  # fmt: skip
    """Replace values of a CSV FILE ("-" for standard input) by tokens.

    \b
    strongroom tokenize customers.csv -o tokens.csv --field 姓名=person_name --field card=bank_card

    The first line names the columns. A value that is refused is told by line, column and reason, its cell is
    left empty, and all others go through; an empty cell stays empty; a row with too few or too many cells is
    emptied.
    """
    spec: dict[str, Any] = {
        name: value for name, value in {**options, "source": origin, "ttl_seconds": ttl}.items() if value
    }
    run = idempotency_key or secrets.token_hex(8)

    def begin(file: CsvFile) -> tuple[Work, Check | None]:
        place = None if subject is None else position(file.name, file.header, subject)
        return _work(client, spec, run, place), None if place is None else subject_check(place, str(subject))

    again = f"the same command with --idempotency-key {run} goes on without making tokens twice"
    with going_on(again if job.source != "-" else None):
        work_through(screen, client, job, begin, "tokenized")


def _work(client: Client, spec: dict[str, Any], run: str, subject: int | None) -> Work:
    def work(
        target: Target, values: list[str | None], rows: Sequence[Row], start: int
    ) -> tuple[Sequence[str | None], Sequence[ItemError]]:
        subjects = None if subject is None else [row.cells[subject] or None for row in rows]
        key = f"{run}.{target.position}.{start}"
        column = client.tokenize_column(target.field, values, subjects=subjects, idempotency_key=key, **spec)
        return column.tokens, column.errors

    return work


def subject_check(place: int, column: str) -> Check:
    """Return a check of the subject in the cell at `place`, for the service refuses the others with it."""

    def check(row: Row) -> Refusal | None:
        text = row.cells[place]
        if len(text) <= LONGEST_SUBJECT and (text.isprintable() or not text):
            return None
        detail = f"a subject is at most {LONGEST_SUBJECT} printable characters"
        return Refusal(row.line, column, "invalid_subject", detail)

    return check
