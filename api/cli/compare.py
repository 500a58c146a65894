"""`strongroom compare`: whether the tokens of a CSV file stand for the values beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from api.cli.columnwise import Check, Work
from api.cli.connection import online
from api.cli.csvfile import CsvFile, Row
from api.cli.files import Job, files, work_through
from api.cli.grounds import grounds as say_grounds
from api.cli.mapping import Target, position
from api.cli.reveal import field_of
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, Grounds, ItemError, Purpose


@click.command(short_help="Say whether tokens of a CSV file stand for the values beside them.")
@online
@files
@say_grounds
@click.option("--value", required=True, metavar="COLUMN", help="Column with the value of each row.")
def compare(
    screen: Screen, client: Client, /, *, job: Job, purpose: Purpose, grounds: Grounds, value: str
) -> None:
    """Replace tokens of a CSV FILE ("-" for standard input) by "yes" or "no": is it the value beside it?

    \b
    strongroom compare claims.csv --field token=phone --value number --purpose verify-identity

    Values come from the file or from standard input, never from the command line, which everybody on the machine may
    read. A token or a value that is refused is told by line, column and reason, its cell is left empty, and all others
    go through.
    """

    def begin(file: CsvFile) -> tuple[Work, Check | None]:
        place = position(file.name, file.header, value)

        def work(
            target: Target, tokens: list[str | None], rows: Sequence[Row], _: int
        ) -> tuple[Sequence[str | None], Sequence[ItemError]]:
            values = [row.cells[place] or None for row in rows]
            field = field_of(target, tokens)
            column = client.compare_column(tokens, values, purpose=purpose, field=field, **grounds)
            return [
                None if match is None else "yes" if match else "no" for match in column.matches
            ], column.errors

        return work, None

    work_through(screen, client, replace(job, left=(*job.left, value)), begin, "compared")
