"""`kill -9` during tokenizing, again and again: what was acknowledged stays true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.databases import migrated_database
from tests.scenarios import records
from tests.scenarios.caller import calling
from tests.scenarios.campaign import rounds
from tests.scenarios.ledger import Ledger
from tests.scenarios.load import Load
from tests.service import NO_HASHER, Service, running
from tests.waiting import until

QUICK = {"STRONGROOM_MAINTENANCE_SECONDS": "1", "STRONGROOM_LOG_LEVEL": "error", **NO_HASHER}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **QUICK) as service:
        yield service


def campaign(service: Service, times: int) -> Ledger:
    """Kill a service at `times` random moments; check after each what that round acknowledged, then everything.

    A moment is so many operations and a few milliseconds after the start: on a slow machine as much gets done.
    """
    whole = Ledger()
    for number in range(times):
        ledger = Ledger()
        load = Load(service.port, service.keys["live"], ledger, number)
        load.start()
        draw = Random(number)
        operations = draw.randrange(30)
        until(lambda load=load, least=operations: load.ended or len(load.ledger.operations) >= least)
        time.sleep(draw.uniform(0.0, 0.05))
        service.kill()
        load.stop()
        assert not load.failures, load.failures[:3]
        service.start()
        with calling(service) as caller:
            ledger.check_values(caller)
        whole.add(ledger)
    whole.check(service)
    return whole


def test_on_sqlite(served: Service) -> None:
    ledger = campaign(served, 40)
    assert len(ledger.operations) > 400
    assert len(ledger.once) > 50


def test_on_postgresql(postgres: str, tmp_path: Path) -> None:
    with (
        migrated_database("postgresql", tmp_path, postgres) as url,
        running(tmp_path, url, **QUICK) as service,
    ):
        campaign(service, rounds(4, 40))


def invent_a_token(ledger: Ledger) -> None:
    ledger.values[""]["tok_live_" + "0" * 35] = "+8613800138000"


def swap_two_values(ledger: Ledger) -> None:
    held = ledger.values[""]
    one, other = list(held)[:2]
    held[one], held[other] = held[other], held[one]


def invent_a_twin(ledger: Ledger) -> None:
    next(iter(ledger.fixed.values())).add("tok_live_" + "0" * 35)


def share_a_token(ledger: Ledger) -> None:
    ledger.fixed["pool phone", "somebody else's"] = next(iter(ledger.fixed.values()))


def invent_an_operation(ledger: Ledger) -> None:
    ledger.operations["never-was"] = 1


def invent_one_token_more(ledger: Ledger) -> None:
    ledger.operations[next(iter(ledger.operations))] += 1


def invent_a_reply(ledger: Ledger) -> None:
    one = next(iter(ledger.once.values()))
    one.replies.insert(0, ["tok_live_" + "0" * 35] * len(one.body["values"]))


@pytest.mark.parametrize(
    "lie",
    [
        invent_a_token, swap_two_values, invent_a_twin, share_a_token, invent_an_operation,
        invent_one_token_more, invent_a_reply,
    ],
)  # fmt: skip
def test_the_check_notices(worked: tuple[Service, Ledger], lie: Callable[[Ledger], None]) -> None:
    service, ledger = worked
    told = Ledger()
    told.add(ledger)
    told.check(service)
    lie(told)
    with pytest.raises(AssertionError):
        told.check(service)


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM token WHERE token = (SELECT min(token) FROM token WHERE source IS NULL AND kind = 1)",
        "DELETE FROM index_entry WHERE token = (SELECT min(token) FROM token WHERE NOT deterministic AND kind = 1)",
        "DELETE FROM audit_leaf WHERE id = (SELECT id FROM audit_leaf WHERE instr(leaf, x'72302d') LIMIT 1)",
        "DELETE FROM subject WHERE digest = (SELECT min(digest) FROM subject)",
        "UPDATE token SET sealed = zeroblob(60) WHERE token = (SELECT max(token) FROM token WHERE kind = 1)",
    ],
)
def test_the_check_notices_a_loss(served: Service, loss: str) -> None:
    ledger = worked_a_while(served)
    ledger.check(served)
    until(lambda: not records.rows(served.database_url, "SELECT 1 FROM audit_record"))  # all is sealed
    records.change(served.database_url, loss)
    with pytest.raises(AssertionError):
        ledger.check(served)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Ledger]]:
    folder = tmp_path_factory.mktemp("worked")
    with running(folder, f"sqlite:///{folder}/vault.db", **QUICK) as service:
        yield service, worked_a_while(service)


def worked_a_while(service: Service) -> Ledger:
    """Return what an undisturbed service acknowledged."""
    load = Load(service.port, service.keys["live"], Ledger(), 0)
    load.start()
    until(lambda: load.ended or (len(load.ledger.operations) > 30 and len(load.ledger.once) > 5))
    load.stop()
    assert not load.failures
    return load.ledger
