"""`strongroom approvals`: what others propose that needs a second person."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, Proposal

STATES = ("open", "used", "rejected", "withdrawn", "expired")
TITLES = ("id", "state", "people", "author", "created", "expires", "summary")

id_argument = click.argument("proposal_id", metavar="ID")


@click.group(short_help="Approve or reject what others propose.")
def approvals() -> None:
    """Look at what others propose that needs a second person, and approve or reject it."""


@approvals.command("list")
@online
@click.option("--state", type=click.Choice(STATES), help="Only those; default all.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many at most.")
def list_proposals(screen: Screen, client: Client, /, state: str | None, limit: int) -> None:
    """List proposals, the newest first."""
    found = list(islice(client.proposals(state=state, page=min(limit, 1_000)), limit))
    if screen.json:
        screen.data({"proposals": found})
        return
    screen.table(TITLES, [
        (one.id, one.state, _people(one), one.author, one.created_at, one.expires_at, one.summary) for one in found
    ])  # fmt: skip


@approvals.command()
@online
@id_argument
def show(screen: Screen, client: Client, /, proposal_id: str) -> None:
    """Show the proposal ID: what it is for, and what was said to it."""
    found = client.proposal(proposal_id)
    if screen.json:
        screen.data(found)
        return
    _tell(screen, found)
    screen.note(f"digest: {found.digest}")
    for one in found.verdicts:
        screen.note(f"{one.verdict} by {one.caller}, {one.at:%Y-%m-%dT%H:%M:%SZ}")
    for line in (found.document or "").splitlines():
        screen.say(line)


@approvals.command()
@online
@id_argument
def approve(screen: Screen, client: Client, /, proposal_id: str) -> None:
    """Approve the proposal ID of another person; `show` it first."""
    _done(screen, client.approve(proposal_id))


@approvals.command()
@online
@id_argument
def reject(screen: Screen, client: Client, /, proposal_id: str) -> None:
    """Reject the proposal ID of another person, for good."""
    _done(screen, client.reject(proposal_id))


@approvals.command()
@online
@id_argument
def withdraw(screen: Screen, client: Client, /, proposal_id: str) -> None:
    """Withdraw a proposal of your own."""
    _done(screen, client.withdraw(proposal_id))


def _done(screen: Screen, found: Proposal) -> None:
    screen.data(found) if screen.json else _tell(screen, found)


def _tell(screen: Screen, found: Proposal) -> None:
    screen.say(f"{found.id} of {found.author}: {found.state}, {_people(found)}: {found.summary}")


def _people(found: Proposal) -> str:
    return f"{found.approved} of {found.needed}"
