"""`strongroom worker`: background work, again and again, until it is told to stop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from api.cli.ending import Ending

if TYPE_CHECKING:
    from api.logs import RequestLog
    from vault.jobs import Jobs
    from vault.maintenance import Maintenance
    from vault.sealer import Sealer


@click.command(short_help="Do background work.")
@click.option("--parent", type=int, hidden=True, help="End when this parent process has.")
@click.option("--once", is_flag=True, help="One round, and exit.")
def worker(parent: int | None, once: bool) -> None:
    """Do background work until SIGTERM or Ctrl-C: seal the audit, shred what expired, turn keys, close epochs.

    `strongroom serve` runs one by itself. Any number may run: a lease lets one work at a time.
    """
    from api import processes
    from api.cli import surroundings
    from api.logs import RequestLog
    from api.wiring import open_presence, open_resources
    from vault.jobs import Jobs
    from vault.maintenance import Maintenance
    from vault.sealer import Sealer

    ending = Ending(parent)
    settings = surroundings.settings()
    log, resources = RequestLog(settings.log_level), open_resources(settings)
    holder = processes.name()
    work = Maintenance(resources, holder)
    jobs = Jobs(resources, holder, ending, ending.wait, lambda error: log.failure(error, "jobs"))
    sealer = Sealer(resources, holder, ending, ending.wait, lambda error: log.failure(error, "sealer"))
    presence = open_presence(resources, "worker", log)
    presence.start()
    try:
        if once:
            _once(work, jobs, sealer, log, ending)
        else:
            _again(work, jobs, sealer, log, ending, settings.maintenance_seconds)
    finally:
        _release(work, log)
        presence.stop()
        resources.close()


def _once(work: Maintenance, jobs: Jobs, sealer: Sealer, log: RequestLog, ending: Ending) -> None:
    if not _round(work, log, ending):
        raise SystemExit(1)
    jobs.run_waiting()
    sealer.run_once()


def _again(
    work: Maintenance, jobs: Jobs, sealer: Sealer, log: RequestLog, ending: Ending, seconds: float
) -> None:
    """Do a round every so often, jobs and sealing beside them, until told to end."""
    jobs.start()
    sealer.start()
    while not ending():
        _round(work, log, ending)
        ending.wait(seconds)
    jobs.join()
    sealer.join()


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
