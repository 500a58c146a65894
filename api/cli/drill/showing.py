"""What is seen of drills: a bar while they go on, a table of checks, the page of all that there were."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

from api.cli.screen import Screen

if TYPE_CHECKING:
    from api.drills.shelf import Shelf
    from vault.recovery.reports import Report


class Shown(Protocol):
    """Hears what is being done, and how many rows of how many, where that is known."""

    def __call__(self, name: str, done: int = 0, total: int = 0) -> None:
        """Show it."""
        ...


def tell(screen: Screen, shelf: Shelf, made: Sequence[Report]) -> None:
    """Show the drills that were made, and put the page of all in its place."""
    from api.drills.page import page

    shelf.show(page(shelf.past()))
    if screen.json:
        screen.data({"drills": [_as_data(report) for report in made]})
        return
    for report in made:
        verdict = "passed" if report.passed else "failed"
        rpo = "-" if report.rpo is None else f"{report.rpo:.1f} s"
        screen.say(
            f"{report.id}: {report.target}, backup {report.number}: {verdict} (RTO {report.rto:.1f} s, RPO {rpo})"
        )
        screen.table(
            ("check", "state", "code", "checked", "bad", "seconds"),
            [
                (
                    one.name,
                    one.state,
                    one.code or None,
                    one.checked,
                    one.bad,
                    f"{one.milliseconds / 1_000:.1f}",
                )
                for one in report.checks
            ],
        )


def _as_data(report: Report) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(report)
    return {**built, "passed": report.passed, "rto": report.rto, "rpo": report.rpo}


@contextmanager
def bar(screen: Screen) -> Iterator[Shown]:
    """Show on a terminal what is being done: phases of a restore with their rows, then checks."""
    if screen.json or not sys.stderr.isatty():
        yield lambda name, done=0, total=0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    looks = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*looks, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("drill", total=None)

        def show(name: str, done: int = 0, total: int = 0) -> None:
            progress.update(task, description=name, completed=done, total=total or None)

        yield show
