"""What it costs every write that backups find what changed: columns tokenized with indexes on epochs, and without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from api.config import Settings
from api.wiring import open_vault
from bench import values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from bench.rounds import interleave
from keys.providers import local
from tests.databases import make_schema
from vault.columns import Actor, Column
from vault.store.database import Database
from vault.store.tables import metadata

PEER = "without indexes on epochs"


def run(place: Place, plan: Plan) -> Iterator[Line]:
    """Tokenize through the vault in this process, on two databases in turn."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(_side(place, name == PEER)) for name in ("with", PEER)}
        rates = interleave(
            {name: lambda side=side: side.rate(plan) for name, side in sides.items()}, plan.rounds
        )  # type: ignore[misc]
    yield Line(
        "backups", place.store, f"tokenize {plan.size:,}, in process", rates["with"], "values", PEER, rates[PEER]
    )  # fmt: skip


class _Side:
    """A vault on a database of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        local.create(folder / "root.key")
        make_schema(url)
        self.vault = open_vault(Settings(database_url=url, root_key_file=folder / "root.key"))
        record, _ = self.vault.bootstrap("shop")["live"]
        self._actor, self._numbers = Actor(record.tenant, "live", record.id, "bench"), count()

    def rate(self, plan: Plan) -> float:
        """Return values a second of a round, a commit a column."""
        cards = [values.cards(next(self._numbers) * plan.size, plan.size) for _ in range(plan.columns)]
        start = time.perf_counter()
        for column in cards:
            self.vault.tokenize(self._actor, [Column("bank_card", column)])
        return plan.columns * plan.size / (time.perf_counter() - start)


@contextmanager
def _side(place: Place, bare: bool) -> Iterator[_Side]:
    with place.database() as (url, folder):
        side = _Side(url, folder)
        try:
            if bare:
                _drop_indexes(url)
            yield side
        finally:
            side.vault.close()


def _drop_indexes(url: str) -> None:
    """Leave a database as it was before backups came."""
    database = Database(url, time.time, time.monotonic)
    with database.engine.connect() as connection, connection.begin():
        for table in metadata.sorted_tables:
            for index in table.indexes:
                if list(index.columns.keys()) == ["epoch"]:
                    index.drop(connection)
    database.close()
