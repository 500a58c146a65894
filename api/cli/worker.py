"""`strongroom worker`: background work, again and again, until it is told to stop."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

import click
import msgspec

if TYPE_CHECKING:
    from api.logs import RequestLog
    from vault.jobs import Jobs
    from vault.maintenance import Maintenance

LOOK = 0.1  # seconds between two looks at whether to end


@click.command(short_help="Do background work.")
@click.option("--parent", type=int, hidden=True, help="End when this parent process has.")
@click.option("--once", is_flag=True, help="One round, and exit.")
def worker(parent: int | None, once: bool) -> None:
    """Do background work until SIGTERM or Ctrl-C: shred what expired, turn keys, forget old replies, close epochs.

    `strongroom serve` runs one by itself. Any number may run: a lease lets one work at a time.
    """
    from api import processes
    from api.cli import surroundings
    from api.logs import RequestLog
    from api.wiring import open_presence, open_resources
    from vault.jobs import Jobs
    from vault.maintenance import Maintenance

    ending = Ending(parent)
    settings = surroundings.settings()
    log, resources = RequestLog(settings.log_level), open_resources(settings)
    holder = processes.name()
    work = Maintenance(resources, holder)
    jobs = Jobs(resources, holder, ending, ending.wait, lambda error: log.failure(error, "jobs"))
    presence = open_presence(resources, "worker", log)
    presence.start()
    try:
        if once:
            _once(work, jobs, log, ending)
        else:
            _again(work, jobs, log, ending, settings.maintenance_seconds)
    finally:
        _release(work, log)
        presence.stop()
        resources.close()


def _once(work: Maintenance, jobs: Jobs, log: RequestLog, ending: Ending) -> None:
    if not _round(work, log, ending):
        raise SystemExit(1)
    jobs.run_waiting()


def _again(work: Maintenance, jobs: Jobs, log: RequestLog, ending: Ending, seconds: float) -> None:
    """Do a round every so often, and jobs beside them, until told to end."""
    jobs.start()
    while not ending():
        _round(work, log, ending)
        ending.wait(seconds)
    jobs.join()


class Ending:
    """Whether the worker was told to end, by SIGTERM, Ctrl-C, or the end of its parent; any thread may ask."""

    def __init__(self, parent: int | None) -> None:
        self._parent = parent
        # Looked at now and then: a threading.Event locks the worker up where the handler that sets it cuts its own
        # wait, and a SimpleQueue of Python 3.11 waits for ever where its time is over before it has begun to wait.
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self._told = True

    def __call__(self) -> bool:
        """Tell whether to end now."""
        return self._told or (self._parent is not None and os.getppid() != self._parent)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is time to end."""
        until = time.monotonic() + seconds
        while not self() and (left := until - time.monotonic()) > 0:
            time.sleep(min(LOOK, left))


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
