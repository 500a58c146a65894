"""Backups: a full one beside `zstd | age` over the same bytes, and what follows it: beside requests, restored, lost."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import beside, indexed, losses, restores
from bench.backed import Backed, backed, fill
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave

TARGET = 0.50
PEER = "zstd -1 | age"


def run(place: Place, plan: Plan) -> Iterator[Line]:
    """Fill a table, make backups of it while it is used and while it is not, restore them, kill what makes them."""
    with backed(place, **plan.processes()) as house:
        fill(house.service, plan.backed)
        house.service.stop()
        yield _made(place, house, plan)
        yield restores.run(place, house, plan)
        with restores.recovered(place, house, plan) as (line, again):
            yield line
            yield from beside.run(place, again, plan)
    yield from losses.run(place, plan)
    yield from indexed.run(place, plan)


def _made(place: Place, house: Backed, plan: Plan) -> Line:
    """Make full backups of both streams at one folder, read back as always; and pipe the same bytes into a file."""
    for command in ("zstd", "age"):
        if shutil.which(command) is None:
            raise SystemExit(f"the peer of backups is missing: install the Debian package {command}")
    plain = house.folder.with_name("plain")
    with house.lanes() as lanes:
        lanes.step()
        size, recipients = house.plain(plain), _recipients(house)
        rates = interleave(
            {
                PEER: lambda: plan.backed / _piped(plain, recipients),
                "full": lambda: plan.backed / _seconds(lanes.step),
            },
            plan.rounds,
        )
    megabytes = size / plan.backed * rates["full"] / 1e6
    note = f"{size / 1e6:,.0f} MB of rows, {megabytes:,.0f} MB/s, synced and read back; the pipe does neither"
    return Line(
        "backups", place.store, f"full backup of {plan.backed:,}", rates["full"], "rows", PEER, rates[PEER], TARGET,
        note,
    )  # fmt: skip


def _recipients(house: Backed) -> list[str]:
    known = house.newest().data[-1].recipients
    return [one for kind in known.values() for one in kind]


def _piped(plain: Path, recipients: list[str]) -> float:
    """Return the seconds that the two commands take."""
    out = plain.with_name("piped")
    out.unlink(missing_ok=True)
    to = [word for one in recipients for word in ("-r", one)]
    start = time.perf_counter()
    zstd = subprocess.Popen(["zstd", "-1", "-q", "-c", plain], stdout=subprocess.PIPE)
    age = subprocess.run(["age", *to, "-o", out], stdin=zstd.stdout, check=False)
    if zstd.wait() or age.returncode:
        raise SystemExit("zstd | age failed")
    return time.perf_counter() - start


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
