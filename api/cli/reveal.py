"""`strongroom reveal`: a CSV file with tokens becomes one with values, or with what a view shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from api.cli.columnwise import Check, Work
from api.cli.connection import online
from api.cli.csvfile import CsvFile, Row
from api.cli.failure import Failure
from api.cli.files import Job, files, work_through
from api.cli.grounds import grounds as say_grounds
from api.cli.mapping import Target
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, Grounds, ItemError, Purpose, View

OPAQUE = ("tok_live_", "tok_test_")
VIEWS = ("masked", "full", "last4", "fingerprint")


@click.command(short_help="Replace tokens of a CSV file by values or masks.")
@online
@files
@say_grounds
@click.option("--view", type=click.Choice(VIEWS), help="What is shown of the values; default masked.")
@click.option("--plain", is_flag=True, help="The same as --view full.")
@click.option("--approval", metavar="ID", help="The proposal by which another person approved exactly this.")
def reveal(
    screen: Screen,
    client: Client,
    /,
    *,
    job: Job,
    purpose: Purpose,
    grounds: Grounds,
    view: View | None,
    plain: bool,
    approval: str | None,
) -> None:
    """Replace tokens of a CSV FILE ("-" for standard input) by masks of their values, or by the values.

    \b
    strongroom reveal tokens.csv -o masked.csv --purpose service --field 姓名=person_name

    A token that is refused is told by line, column and reason, its cell is left empty, and all others go
    through.
    """
    if plain and view not in {None, "full"}:
        raise Failure(f"--plain shows values whole, --view {view} does not", "say one of the two")
    shown: View = "full" if plain else view or "masked"
    asking = client if approval is None else client.using(approval)

    def work(
        target: Target, tokens: list[str | None], _: Sequence[Row], __: int
    ) -> tuple[Sequence[str | None], Sequence[ItemError]]:
        field = field_of(target, tokens)
        column = asking.reveal_column(tokens, purpose=purpose, view=shown, field=field, **grounds)
        return column.values, column.errors

    def begin(_: CsvFile) -> tuple[Work, Check | None]:
        return work, None

    work_through(screen, client, job, begin, "revealed")


def field_of(target: Target, tokens: Sequence[str | None]) -> str | None:
    """Return the field type to be sent with a column of tokens: none where all know it themselves."""
    own = all(token is None or token.startswith(OPAQUE) for token in tokens)
    return None if own else target.field
