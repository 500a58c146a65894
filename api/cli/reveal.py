"""`strongroom reveal`: a CSV file with tokens becomes one with values, or with masks of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from api.cli.columnwise import Check, Work
from api.cli.connection import online
from api.cli.csvfile import CsvFile, Row
from api.cli.files import Job, files, work_through
from api.cli.mapping import Target
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, ItemError, Purpose, View

PURPOSES = (
    "service", "verification", "notification", "marketing", "risk_control",
    "statistics", "audit", "legal", "support", "subject_request",
)  # fmt: skip
OPAQUE = ("tok_live_", "tok_test_")


@click.command(short_help="Replace tokens of a CSV file by values or masks.")
@online
@files
@click.option("--purpose", required=True, type=click.Choice(PURPOSES), help="What for; goes into the audit.")
@click.option("--plain", is_flag=True, help="Whole values; default masks of them.")
def reveal(screen: Screen, client: Client, /, job: Job, purpose: Purpose, plain: bool) -> None:
    """Replace tokens of a CSV FILE ("-" for standard input) by masks of their values, or by the values.

    \b
    strongroom reveal tokens.csv -o masked.csv --purpose service --field 姓名=person_name

    A token that is refused is told by line, column and reason, its cell is left empty, and all others go
    through.
    """

    def work(
        target: Target, tokens: list[str | None], _: Sequence[Row], __: int
    ) -> tuple[Sequence[str | None], Sequence[ItemError]]:
        own = all(token is None or token.startswith(OPAQUE) for token in tokens)  # they know their field
        field = None if own else target.field
        view: View = "plain" if plain else "masked"
        column = client.reveal_column(tokens, purpose=purpose, view=view, field=field)
        return column.values, column.errors

    def begin(_: CsvFile) -> tuple[Work, Check | None]:
        return work, None

    work_through(screen, client, job, begin, "revealed")
