"""`strongroom passwords calibrate`: what password hashes cost on this machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from api.cli.connection import as_json
from api.cli.duration import ShortDuration
from api.cli.failure import REFUSED_ROWS
from api.cli.screen import Screen

if TYPE_CHECKING:
    from vault.passwords.calibration import Calibration
    from vault.passwords.profiles import Profile

TITLES = ("profile", "memory MiB", "passes", "lanes", "ms a hash")
SETTING = "STRONGROOM_PASSWORD_PROFILE"


@click.command()
@as_json
@click.option(
    "--target",
    type=ShortDuration(),
    default="250ms",
    show_default=True,
    metavar="DURATION",
    help="What one hash may take, 10ms to 2s.",
)
@click.option(
    "--memory",
    type=click.IntRange(32, 1_048_576),
    default=512,
    show_default=True,
    metavar="MIB",
    envvar="STRONGROOM_HASHING_MEMORY_MIB",
    help="Ceiling of the memory of all hashes at once.",
)
@click.pass_obj  # fmt: skip
def calibrate(screen: Screen, target: float, memory: int) -> None:
    """Measure hashes on this machine and print the setting for those that take no longer than the target.

    All processors hash at once meanwhile, for some ten seconds, so nothing else should be running. Never weaker than
    OWASP's minimum: where that takes longer than the target, its quickest form is printed, and the exit code is 1.
    """
    from vault.passwords.calibration import calibrate as measure

    with _progress(screen) as tell:
        found = measure(target, memory * 1_024, time.monotonic, tell)
    if screen.json:
        screen.data(_data(found))
    else:
        _show(screen, found)
    if not found.met:
        screen.note(f"a target of {target * 1000:g} ms cannot be met: no weaker hash is safe")
        sys.exit(REFUSED_ROWS)


def _show(screen: Screen, calibration: Calibration) -> None:
    screen.table(TITLES, [
        (one.profile.name, f"{one.profile.memory / 1_024:g}", one.profile.passes, one.profile.lanes,
         f"{one.seconds * 1_000:.0f}")
        for one in (*calibration.named, calibration.found)
    ])  # fmt: skip
    screen.say(_setting(calibration))


def _data(calibration: Calibration) -> dict[str, object]:
    measured = [
        {"profile": one.profile.name, "memory_kib": one.profile.memory, "passes": one.profile.passes,
         "lanes": one.profile.lanes, "seconds": one.seconds}
        for one in (*calibration.named, calibration.found)
    ]  # fmt: skip
    return {"met": calibration.met, "setting": _setting(calibration), "measured": measured}


def _setting(calibration: Calibration) -> str:
    profile = calibration.profile
    return f"{SETTING}={profile.name}:{profile.parameters}"


@contextmanager
def _progress(screen: Screen) -> Iterator[Callable[[Profile], None]]:
    """Say on standard error what is measured; a terminal shows the profile of the moment."""
    if not sys.stderr.isatty():
        screen.note("measuring")
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("measuring") as status:
        yield lambda profile: status.update(f"measuring {profile.name} ({profile.parameters})")
