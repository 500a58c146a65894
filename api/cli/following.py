"""A job followed to its end: a progress bar on a terminal, one line where it ends, exit code 1 if it failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen

if TYPE_CHECKING:
    from strongroom_client import Client, Job

LOOK = 0.5  # seconds between two looks at a job
UNITS = {"verify_backups": "bytes", "prune_backups": "files"}  # what jobs count that do not count rows
WHY = {
    "key_in_use": "`strongroom keys show` counts what needs it; when that has gone, `strongroom keys destroy` it",
    "cancelled": "somebody called it off; what it did stays done",
    "last_copy": "fewer servers than the quorum hold the newest backup whole: `strongroom backup create`, or `verify`",
    "former_in_use": "it made backups since this database was restored: stop that service, or remove its files by hand",
    "unreadable_value": "rows that do not open were left as they are: altered, or their key is gone",
}

detach = click.option("--detach", is_flag=True, help="Print the job's id and leave it to itself.")


def begun(screen: Screen, client: Client, job: Job, detached: bool) -> None:
    """Go on after a job was started: follow it, or print its id."""
    if not detached:
        follow(screen, client, job)
    elif screen.json:
        screen.data(job)
    else:
        screen.say(job.id)


def follow(screen: Screen, client: Client, job: Job) -> None:
    """Watch a job until it ends; tell how, and exit with 1 if it failed."""
    if followed(screen, client, job).failed:
        sys.exit(REFUSED_ROWS)


def followed(screen: Screen, client: Client, job: Job) -> Job:
    """Watch a job until it ends; tell how, and return it."""
    if not screen.json:
        screen.note(f"{job.id}: {_named(job)}")
    try:
        with _bar() as progress:
            job = client.wait_for_job(job.id, every=LOOK, progress=progress)
    except KeyboardInterrupt:
        screen.note(f"the job goes on by itself; `strongroom job watch {job.id}` follows it again")
        raise
    if screen.json:
        screen.data(job)
    else:
        _tell(screen, job)
    return job


def told(job: Job) -> str:
    """Return what else there is to say of a job, in one line; empty if there is nothing."""
    notes = job.notes
    said = [f"new version {notes.key}"] if notes.key else []
    if notes.waiting_for and not job.ended:
        said.append(f"waiting for {notes.waiting_for} processes to load it")
    if notes.needed_by:
        said.append(f"needed by {needs(notes.needed_by)}")
    return ", ".join(said)


def needs(counts: dict[str, int]) -> str:
    """Return how much of each thing needs a key version."""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())


def counted(count: float, unit: str) -> str:
    """Return so many rows, files or bytes in words."""
    return f"{count / 1e6:,.1f} MB" if unit == "bytes" else f"{count:,.0f} {unit}"


def _unit(job: Job) -> str:
    return UNITS.get(job.kind, "rows")


def _tell(screen: Screen, job: Job) -> None:
    rows = counted(job.done, _unit(job)) + (f", {job.skipped:,} skipped" if job.skipped else "")
    more = told(job)
    screen.say(f"{_named(job)}: {job.state}, {rows}" + (f", {more}" if more else ""))
    if job.failed:
        screen.note(f"error: the job failed ({job.error})")
        if job.error in WHY:
            screen.note(f"hint: {WHY[job.error]}")


def _named(job: Job) -> str:
    what = f" {job.notes.root or job.target}"
    if job.kind.endswith(job.target):  # prune backups
        what = ""
    elif job.target == "backups":  # make a backup
        what = f" ({job.notes.kind})" if job.notes.kind else ""
    return job.kind.replace("_", " ").removesuffix(" keyset").removesuffix(" key") + what


@contextmanager
def _bar() -> Iterator[Callable[[Job], None] | None]:
    """Show a job's progress on standard error; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    looks = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*looks, console=Console(stderr=True)) as shown:
        task, pace = shown.add_task("", total=None, amount="", rate=""), Pace()

        def progress(job: Job) -> None:
            # A writer's new rows may come under the old key while a job runs, so it may pass its total.
            total = max(job.total, job.done) if job.total else None
            unit = _unit(job)
            amount = counted(job.done, unit) + (f" of {counted(total, unit)}" if total else "")
            rate = pace(job.done, unit)
            shown.update(
                task, description=_doing(job), completed=job.done, total=total, amount=amount, rate=rate
            )

        yield progress


def _doing(job: Job) -> str:
    """Return what a job does now, or what holds it up."""
    if job.state == "waiting" and job.error is not None:
        return f"held up: {job.error}"
    if not job.phase:
        return "waits for a worker"
    if job.notes.waiting_for:
        return f"{job.phase}: {job.notes.waiting_for} processes to go"
    return job.phase


class Pace:
    """Rows, or what else a job counts, a second since the first was seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def __call__(self, done: int, unit: str = "rows") -> str:
        """Return the rate in words; empty before there is one."""
        now = self._clock()
        if self._first is None or done == 0:
            self._first = now, done
        since, had = self._first
        return f"{counted((done - had) / (now - since), unit)}/s" if done > had and now > since else ""
