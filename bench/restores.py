"""A backup restored, beside a bare bulk load of the same rows; and how long until the service is there again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from bench.backed import Backed
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave
from tests.service import Service
from vault.store.database import Database
from vault.store.dialect import COLUMNS, Row, quoted
from vault.store.loading import WRITTEN, Loader
from vault.store.tables import metadata

TARGET = 0.50
PEER = "bare bulk load"
BATCH = 8_192  # rows of a statement
RTO = 180.0  # seconds for ROWS_OF_RTO
ROWS_OF_RTO = 1_000_000
ONCE = 1_000_000  # rows from which on each is done once: no warming up makes such a run any shorter


def run(place: Place, house: Backed, plan: Plan) -> Line:
    """Restore the newest backup again and again, into a database of its own each time."""
    source = house.service.database_url
    rounds = 1 if plan.backed >= ONCE else plan.rounds
    rates = interleave(
        {
            PEER: lambda: plan.backed / _loaded(place, source),
            "restore": lambda: plan.backed / _restored(place, house),
        },
        rounds,
    )
    return Line(
        "backups", place.store, f"restore of {plan.backed:,}", rates["restore"], "rows", PEER, rates[PEER], TARGET,
        "the load opens, verifies and indexes nothing: it has the rows",
    )  # fmt: skip


def _restored(place: Place, house: Backed) -> float:
    """Return the seconds of a restore in this process."""
    with place.database() as (url, _):
        return house.restored(url)


def _loaded(place: Place, source: str) -> float:
    """Return the seconds that all rows of a database take into another: they are read in between, uncounted."""
    database, watch = Database(source, time.time, time.monotonic), _Watch()
    with place.database() as (url, _), Loader(url, time.time, time.monotonic) as loader:
        with database.snapshot(), database.read() as connection:
            for table in WRITTEN:
                names, key = quoted(COLUMNS[table]), quoted(metadata.tables[table].primary_key.columns.keys())
                query = f"SELECT {names} FROM {table} ORDER BY {key}"
                for rows in _batches(database.dialect.stream(connection, query)):
                    watch.count(partial(loader.dialect.insert, loader.connection, table, rows))
        watch.count(loader.finish)
    database.close()
    return watch.seconds


class _Watch:
    """Adds up what calls take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def count(self, call: Callable[[], object]) -> None:
        start = time.perf_counter()
        call()
        self.seconds += time.perf_counter() - start


def _batches(pieces: Iterable[list[Row]]) -> Iterator[list[Row]]:
    held: list[Row] = []
    for piece in pieces:
        held += piece
        if len(held) >= BATCH:
            yield held
            held = []
    yield held


@contextmanager
def recovered(place: Place, house: Backed, plan: Plan) -> Iterator[tuple[Line, Service]]:
    """Restore by the command and start the service; give what that took until it is ready, and the service."""
    trust = house.recipients.with_name("trust")
    trust.write_text("".join(f"{one.vkey}\n" for one in house.verifiers()))
    with place.database() as (url, folder):
        shutil.copy(house.service.folder / "root.key", folder / "root.key")
        again = Service(folder, url, dict(house.service.settings), dict(house.service.keys))
        command = [sys.executable, "-m", "api.cli", "restore", "--json", "--trust", str(trust)]
        start = time.perf_counter()
        done = subprocess.run(command, env=again.environment, capture_output=True, text=True, check=False)
        restored = time.perf_counter()
        if done.returncode:
            raise SystemExit(f"the restore failed: {done.stderr}")
        again.start()
        took = time.perf_counter() - start
        phases = json.loads(done.stdout)["seconds"]
        said = ", ".join(f"{name} {seconds:.1f}" for name, seconds in phases.items())
        line = Line(
            "backups", place.store, f"RTO of {plan.backed:,}, command to ready", plan.backed / took, "rows",
            f"rows in {RTO:.0f} s", ROWS_OF_RTO / RTO, 1.0,
            f"{took:.1f} s: restore {restored - start:.1f} ({said}), start {took - (restored - start):.1f}",
        )  # fmt: skip
        try:
            yield line, again
        finally:
            again.kill()
