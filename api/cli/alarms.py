"""`strongroom alarms`: what somebody should look at."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Alarm, Client

TITLES = ("id", "kind", "at", "times", "caller", "seen", "what", "detail")


@click.group()
def alarms() -> None:
    """List alarms, and say that somebody has seen to one."""


@alarms.command("list")
@online
@click.option("--new", is_flag=True, help="Only those that nobody has acknowledged.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def list_alarms(screen: Screen, client: Client, /, new: bool, limit: int) -> None:
    """List alarms, the newest first."""
    every = client.alarms(page=min(limit, 1_000))
    found = list(islice((one for one in every if not (new and one.acknowledged_at)), limit))
    screen.data({"alarms": found}) if screen.json else screen.table(TITLES, map(_row, found))


@alarms.command()
@online
@click.argument("alarm_id", metavar="ID")
def acknowledge(screen: Screen, client: Client, /, alarm_id: str) -> None:
    """Say that somebody has seen to the alarm ID; who was first stays."""
    found = client.acknowledge_alarm(alarm_id)
    screen.data(found) if screen.json else screen.table(TITLES, [_row(found)])


def _row(one: Alarm) -> tuple[object, ...]:
    detail = [f"{name} {what}" for name, what in one.detail.items() if name != "count"]
    return (
        one.id, one.kind, one.at, one.detail.get("count", 1), one.caller or None, one.acknowledged_by, one.text, detail,
    )  # fmt: skip
