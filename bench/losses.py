"""What is lost with a service that is killed under load: how old the oldest write is that no backup has."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from statistics import median

from bench import values
from bench.backed import Backed, backed
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from tests.scenarios.caller import GONE, Caller
from tests.scenarios.custodian import custody
from tests.service import Service
from tests.waiting import until

TWICE = 2  # as old as that, of the seconds between two journals, may be what is lost
AT_ONCE = 10_000  # tokens in a reveal
THREADS, COLUMN = 4, 100


def run(place: Place, plan: Plan) -> Iterator[Line]:
    """Kill services under load, each with backups at one folder, and restore each on a database of its own."""
    for journal in plan.journals:
        most, draw = TWICE * journal, Random(values.SEED)
        found = [_lost(place, plan, journal, draw.uniform(2.2, 3.5) * journal) for _ in range(plan.kills)]
        ages, acknowledged = [one.age for one in found], sum(one.acknowledged for one in found)
        worst = max(ages)
        yield Line(
            "backups", place.store, f"1/RPO of {plan.kills} kills, journal {journal:g} s", 1 / max(worst, 1e-3), "RPOs",
            f"{most:g} s at most", 1 / most, 1.0,
            f"worst {worst:.2f} s, median {median(ages):.2f} s; {acknowledged:,} values acknowledged, "
            f"{sum(one.missing for one in found):,} lost",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lost:
    """What a kill lost: how many of the acknowledged values, and how old the oldest of them was, in seconds."""

    acknowledged: int
    missing: int
    age: float


@dataclass(slots=True)
class Load:
    """Callers that tokenize as fast as they can, and remember what was acknowledged when."""

    service: Service
    acknowledged: list[tuple[float, list[str], list[str]]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)

    def start(self) -> None:
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have noticed that the service is gone."""
        for thread in self.threads:
            thread.join()

    def _work(self) -> None:
        caller = Caller(self.service.port, self.service.keys["live"])
        try:
            while True:
                cards = values.cards(next(self.numbers) * COLUMN, COLUMN)
                tokens = caller.tokens("bank_card", cards)
                self.acknowledged.append((time.perf_counter(), tokens, cards))
        except GONE:
            return
        finally:
            caller.close()


def _lost(place: Place, plan: Plan, journal: float, seconds: float) -> Lost:
    """Kill a service after so many seconds of load, and look for what it acknowledged in what its backup restores."""
    with backed(place, STRONGROOM_BACKUP_JOURNAL_SECONDS=str(journal), **plan.processes()) as house:
        with custody(house.service) as custodian:
            until(lambda: custodian.vault.backups.status(custodian.actor).shipped is not None)
        load = Load(house.service)
        load.start()
        time.sleep(seconds)
        killed = time.perf_counter()
        house.service.kill()
        load.join()
        return _compared(place, house, load, killed)


def _compared(place: Place, house: Backed, load: Load, killed: float) -> Lost:
    """Restore, and reveal all that was acknowledged."""
    held = [
        (at, token, card)
        for at, tokens, cards in load.acknowledged
        for token, card in zip(tokens, cards, strict=True)
    ]
    lost: list[float] = []  # when each value was acknowledged that is not there
    with place.database() as (url, folder):
        house.restored(url)
        shutil.copy(house.service.folder / "root.key", folder)
        with custody(Service(folder, url, {}, house.service.keys)) as custodian:
            for first in range(0, len(held), AT_ONCE):
                times, tokens, cards = zip(*held[first : first + AT_ONCE], strict=True)
                found = custodian.vault.reveal(custodian.actor, tokens, "service", "plain").values
                lost += [at for at, value, card in zip(times, found, cards, strict=True) if value != card]
    return Lost(len(held), len(lost), killed - min(lost, default=killed))
