"""`strongroom logins`: a person's own log-ins."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.grounds import case_option, consent_option, purpose_option
from api.cli.screen import Screen
from api.cli.whose import whose

if TYPE_CHECKING:
    from strongroom_client import Client, Purpose, Whose

SHOWN = (
    "at", "result", "ip", "device", "agent", "latitude", "longitude", "new_device", "impossible_travel",
)  # fmt: skip
TITLES = [name.replace("_", " ") for name in SHOWN]
DATES = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"])


@click.command(short_help="List a person's log-ins.")
@online
@whose
@purpose_option
@case_option
@consent_option
@click.option("--plain", is_flag=True, help="Whole addresses, devices and places; default masks of them.")
@click.option(
    "--since", type=DATES, metavar="DATE", help="In UTC, such as 2026-11-30 or 2026-11-30T08:00:00Z."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def logins(
    screen: Screen, client: Client, /, *, whose: Whose, purpose: Purpose, plain: bool, since: datetime | None,
    limit: int, case: str | None, consent: str | None,
) -> None:  # fmt: skip
    """List the log-ins of a person, right and wrong, the newest first: of all logins that belong to one subject."""
    found = list(islice(client.log_ins(
        purpose=purpose, view="full" if plain else "masked", page=min(limit, 1_000), case=case, consent=consent,
        since=None if since is None else since.replace(tzinfo=UTC), **whose,
    ), limit))  # fmt: skip
    if screen.json:
        screen.data({"logins": found})
    else:
        screen.table(TITLES, (tuple(getattr(one, name) for name in SHOWN) for one in found))
