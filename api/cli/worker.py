"""`strongroom worker`: background work, again and again, until it is told to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import click
import msgspec

from api.cli.ending import Ending

if TYPE_CHECKING:
    from api.config import Settings
    from api.logs import RequestLog
    from vault.maintenance import Maintenance
    from vault.resources import Resources


SWITCH_SECONDS = 0.0005


class Beside(Protocol):
    """What works in threads of its own."""

    def start(self) -> None:
        """Begin."""

    def join(self) -> None:
        """Wait until what is under way is done."""

    def run_once(self) -> object:
        """Do what there is to do, and return."""


@click.command(short_help="Do background work.")
@click.option("--parent", type=int, hidden=True, help="End when this parent process has.")
@click.option("--once", is_flag=True, help="One round, and exit.")
def worker(parent: int | None, once: bool) -> None:
    """Do background work until SIGTERM or Ctrl-C: seal the audit, make backups, shred what expired, turn keys.

    `strongroom serve` runs one by itself. Any number may run: a lease lets one work at a time.
    """
    from api import processes
    from api.cli import surroundings
    from api.logs import RequestLog
    from api.wiring import open_presence, open_resources
    from vault.maintenance import Maintenance

    # At Python's own 5 ms, one thread that is busy made reading a snapshot beside it take 4 times as long.
    sys.setswitchinterval(SWITCH_SECONDS)
    ending = Ending(parent)
    settings = surroundings.settings()
    log, resources = RequestLog(settings.log_level), open_resources(settings)
    holder = processes.name()
    work = Maintenance(resources, holder)
    beside = _beside(resources, settings, holder, ending, log)
    presence = open_presence(resources, "worker", log)
    presence.start()
    try:
        if once:
            _once(work, beside, log, ending)
        else:
            _again(work, beside, log, ending, settings.maintenance_seconds)
    finally:
        _release(work, log)
        presence.stop()
        resources.close()


def _beside(
    resources: Resources, settings: Settings, holder: str, ending: Ending, log: RequestLog
) -> list[Beside]:
    """Return what works beside the rounds, in the order in which it begins and ends: what is sealed last goes out."""
    from api.outside import open_hooks, open_sinks
    from api.targets import open_targets
    from vault.alerter import Alerter
    from vault.jobs import Jobs
    from vault.recovery.keeper import Keeper
    from vault.sealer import Sealer
    from vault.shipper import Shipper

    sinks, hooks = open_sinks(settings), open_hooks(settings)

    def failed(where: str) -> Callable[[Exception], None]:
        return lambda error: log.failure(error, where)

    return [
        Jobs(resources, holder, ending, ending.wait, failed("jobs")),
        Sealer(resources, holder, ending, ending.wait, failed("sealer")),
        Keeper(resources, partial(open_targets, settings), holder, ending, ending.wait, failed("backups")),
        Shipper(resources, sinks, holder, ending, ending.wait, failed("shipper")),
        Alerter(resources, hooks, holder, ending, ending.wait, failed("alerter")),
    ]


def _once(work: Maintenance, beside: Sequence[Beside], log: RequestLog, ending: Ending) -> None:
    if not _round(work, log, ending):
        raise SystemExit(1)
    for one in beside:
        one.run_once()


def _again(
    work: Maintenance, beside: Sequence[Beside], log: RequestLog, ending: Ending, seconds: float
) -> None:
    """Do a round every so often, and all else beside it, until told to end."""
    for one in beside:
        one.start()
    while not ending():
        _round(work, log, ending)
        ending.wait(seconds)
    for one in beside:
        one.join()


def _round(work: Maintenance, log: RequestLog, ending: Ending) -> bool:
    """Work once; what fails is logged, and tried again in the next round."""
    try:
        done = work.run_once(ending)
    except Exception as error:  # noqa: BLE001 - a worker that dies of one bad round does none of the others
        log.failure(error, "maintenance")
        return False
    _tell(done)
    return True


def _tell(done: dict[str, int]) -> None:
    """Log a round that changed something, like the service's requests: one JSON line on standard error."""
    counts = {name: count for name, count in done.items() if count and name != "closed_epoch"}
    if counts:
        now = datetime.now(UTC).isoformat()
        line = {**counts, "event": "maintenance", "level": "info", "timestamp": now}
        click.echo(msgspec.json.encode(line), err=True)


def _release(work: Maintenance, log: RequestLog) -> None:
    try:
        work.release()
    except Exception as error:  # noqa: BLE001 - the lease ends by itself
        log.failure(error, "maintenance")
