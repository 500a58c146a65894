"""`strongroom job`: long work that custodians started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.cli.connection import online
from api.cli.following import follow, told
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, Job

TITLES = ("id", "kind", "target", "state", "phase", "done", "total", "skipped", "error", "started", "ended")

id_argument = click.argument("job_id", metavar="ID")


@click.group()
def job() -> None:
    """List, show, watch and cancel jobs."""


@job.command("list")
@online
def list_jobs(screen: Screen, client: Client, /) -> None:
    """List the newest jobs, the newest first."""
    found = client.jobs()
    screen.data({"jobs": found}) if screen.json else screen.table(TITLES, map(_row, found))


@job.command()
@online
@id_argument
def show(screen: Screen, client: Client, /, job_id: str) -> None:
    """Say how far the job ID has come."""
    found = client.job(job_id)
    if screen.json:
        screen.data(found)
        return
    screen.table(TITLES, [_row(found)])
    if more := told(found):
        screen.note(more)


@job.command()
@online
@id_argument
def watch(screen: Screen, client: Client, /, job_id: str) -> None:
    """Follow the job ID to its end; exit with 1 if it failed."""
    follow(screen, client, client.job(job_id))


@job.command()
@online
@id_argument
def cancel(screen: Screen, client: Client, /, job_id: str) -> None:
    """Call the job ID off, so that another can start; what it did stays done."""
    found = client.cancel_job(job_id)
    screen.data(found) if screen.json else screen.table(TITLES, [_row(found)])


def _row(job: Job) -> tuple[object, ...]:
    return (
        job.id, job.kind, job.target, job.state, job.phase or None, job.done, job.total or None, job.skipped,
        job.error, job.created_at, job.finished_at,
    )  # fmt: skip
