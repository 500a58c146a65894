"""Keys turn while callers come and go and processes are killed: nothing is lost, and one value keeps one token."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from tests.databases import migrated_database
from tests.scenarios import records, stock
from tests.scenarios.caller import Caller, calling
from tests.scenarios.campaign import rounds
from tests.scenarios.custodian import Custodian, custody
from tests.scenarios.ledger import Ledger
from tests.scenarios.load import Load
from tests.service import NO_HASHER, Service, running
from tests.waiting import until
from vault.store.jobs import Job

QUICK = {"STRONGROOM_MAINTENANCE_SECONDS": "1", "STRONGROOM_LOG_LEVEL": "error", **NO_HASHER}
KINDS = ("seal", "index", "leaked seal", "audit", "leaked index")
COLUMN = 1_000
SHORT = 4_000  # rows: with more, a short campaign hardly gets beyond the phase that goes through them


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", **QUICK) as service:
        yield service


def stocked(caller: Caller, ledger: Ledger, count: int) -> None:
    """Store so many values: fresh, deterministic, shaped, and of persons."""
    draw = Random(count)
    for number in range(0, count, COLUMN):
        body = {"field": "phone", "values": [stock.phone(draw) for _ in range(COLUMN)]}
        match number // COLUMN % 4:
            case 1:
                body |= {"values": sorted(set(body["values"])), "deterministic": True, "scope": f"s{number}"}
            case 2:
                values = [stock.bank_account(draw) for _ in range(COLUMN)]
                body = {"field": "bank_account", "values": values, "kind": "shaped", "lookalike": True}
            case 3:
                body["subjects"] = [f"person-{draw.randrange(COLUMN // 10)}" for _ in range(COLUMN)]
        ledger.acknowledge(f"stock-{number}", body, caller.good(
            "/v1/tokens/column", body, X_Request_Id=f"stock-{number}")["tokens"])  # fmt: skip


def one_key_each(service: Service, custodian: Custodian) -> dict[str, int]:
    """Return how many rows name another key than the primary, or in their sealed bytes another than in their row."""
    seal, index = (int(custodian.primary(purpose), 16) for purpose in ("seal", "index"))
    tenant = custodian.actor.tenant
    rows = records.rows(
        service.database_url,
        "SELECT sealed, metadata, seal_key, subject, index_key FROM token WHERE tenant = :tenant",
        tenant=tenant,
    )
    people = dict(
        records.rows(
            service.database_url, 'SELECT digest, "key" FROM subject WHERE tenant = :tenant', tenant=tenant
        )
    )
    people = {bytes(digest): key for digest, key in people.items()}
    wrapped = records.rows(
        service.database_url, "SELECT wrap_key FROM subject WHERE tenant = :tenant", tenant=tenant
    )
    named = [
        (int.from_bytes(bytes(blob)[1:9], "big"), row.seal_key, bytes(row.subject or b""))
        for row in rows
        for blob in (row.sealed, row.metadata)
        if blob is not None
    ]
    return {
        "two keys in one row": sum(inside != outside for inside, outside, _ in named),
        "sealed under an old key": sum(key != people.get(who, seal) for _, key, who in named),
        "found under an old key": sum(row.index_key not in {None, index} for row in rows),
        "persons under an old key": sum(row.wrap_key != seal for row in wrapped),
    }


def test_keys_turn_under_load_and_processes_are_killed(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/vault.db", "--no-worker", **QUICK) as service:
        campaign(service, rounds(28, 200), rounds(SHORT, 1_000_000))


def test_on_postgresql(postgres: str, tmp_path: Path) -> None:
    with (
        migrated_database("postgresql", tmp_path, postgres) as url,
        running(tmp_path, url, "--no-worker", **QUICK) as service,
    ):
        campaign(service, rounds(8, 200), rounds(SHORT, 1_000_000))


def campaign(service: Service, kills: int, count: int) -> None:
    """Kill the worker while keys turn and while it recovers, now and then all else too; then check everything."""
    ledger, kinds, draw = Ledger(), cycle(KINDS), Random(7)
    with calling(service) as caller:
        stocked(caller, ledger, count)
    started: list[str] = []
    for number in range(kills):
        load = Load(service.port, service.keys["live"], ledger, number, threads=2, pause=0.05)
        load.start()
        with custody(service) as custodian, at_work(service):
            if not started or custodian.job(started[-1]).finished_at is not None:
                started.append(custodian.start(next(kinds)))
            seen = custodian.job(started[-1])
            if number % 2:  # some time after the job went on; every other time, as it is taken up again
                until(lambda seen=seen, custodian=custodian: moved(custodian.job(seen.id), seen))
                time.sleep(draw.uniform(0.0, 0.6))
            else:
                until(lambda seen=seen, custodian=custodian: taken(custodian.job(seen.id), seen))
                time.sleep(draw.uniform(0.0, 0.1))
            if number % 4 == 0:
                service.kill()
        load.stop()
        assert not load.failures, load.failures[:3]
        if service.process is None:
            service.start()
    with custody(service) as custodian, at_work(service):
        for job_id in started:
            custodian.ended(job_id)
        for purpose in (
            "seal",
            "index",
        ):  # what came under the last key is under it alone, and so is all else
            custodian.ended(custodian.start(purpose))
        assert set(one_key_each(service, custodian).values()) == {0}
        assert len(started) >= kills // 16
    ledger.check(service)


@contextmanager
def at_work(service: Service) -> Iterator[None]:
    """Have a worker of the service, until it is killed at the end."""
    with service.log.open("ab") as log:
        command = [sys.executable, "-m", "api.cli", "worker"]
        worker = subprocess.Popen(command, env=service.environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


def taken(job: Job, seen: Job) -> bool:
    return job.fence > seen.fence or job.finished_at is not None


def moved(job: Job, seen: Job) -> bool:
    return (job.phase, job.done, job.finished_at) != (seen.phase, seen.done, seen.finished_at)


# A worker that seals the rows under a new key which it keeps in memory, and stores another one (openbot #8).
FORGETFUL = """
import sys, time
from api.config import load
from api.wiring import open_resources
from keys.openkeys import OpenKey
from keys.secret import Secret
from vault.rotate import kinds, sealing
memory, seal = {}, sealing.cipher.seal
def forgetful(key, *rest):
    return seal(memory.setdefault(key.id, OpenKey(key.id, Secret.random())), *rest)
sealing.cipher.seal = forgetful
resources = open_resources(load())
while True:
    kinds.work(resources, "forgetful", lambda: False, time.sleep)
"""


def test_the_campaign_notices_a_key_that_was_kept_in_memory_alone(tmp_path: Path) -> None:
    url, ledger = f"sqlite:///{tmp_path}/vault.db", Ledger()
    with running(tmp_path, url, "--no-worker", **QUICK) as service:
        with calling(service) as caller:
            stocked(caller, ledger, 2_000)
            ledger.check_values(caller)
        worker = subprocess.Popen(
            [sys.executable, "-c", FORGETFUL], env={**os.environ, **service.environment}
        )
        with custody(service) as custodian:
            job = custodian.start("seal")
            until(lambda: custodian.job(job).done > 0)
        worker.kill()
        worker.wait()
        with calling(service) as caller, pytest.raises(AssertionError, match="unreadable_value"):
            ledger.check_values(caller)


def test_nobody_is_refused_while_keys_turn(served: Service) -> None:
    """Every kind of job in turn, with callers who never hear a no."""
    ledger = Ledger()
    with calling(served) as caller:
        stocked(caller, ledger, 4_000)
    load = Load(served.port, served.keys["live"], ledger, 1, threads=4, pause=0.02)
    load.start()
    with custody(served) as custodian:
        for kind in KINDS:
            custodian.ended(custodian.start(kind))
            with calling(served) as caller:
                ledger.check_values(caller)
    load.stop()
    assert not load.failures, load.failures[:3]
    ledger.check(served)


def test_a_new_version_waits_for_every_live_process(served: Service) -> None:
    """One that cannot load it holds the turn up until it was silent for twenty seconds; nothing is sealed before."""
    with calling(served) as caller:
        caller.tokens("phone", ["13800138000"] * 10)
    worker = "SELECT 1 FROM process WHERE kind = 'worker'"
    until(
        lambda: records.rows(served.database_url, worker)
    )  # the five seconds that are left are for its work
    with custody(served) as custodian:
        before = custodian.primary("seal")
        records.change(
            served.database_url,
            "INSERT INTO process (id, kind, started_at, seen_at) VALUES ('slow', 'serve', 0, :now)",
            now=int(time.time() * 1e6) - 15_000_000,
        )
        records.change(
            served.database_url,
            "INSERT INTO process_keys (process, tenant, generation) VALUES ('slow', :tenant, 1)",
            tenant=custodian.actor.tenant,
        )
        job = custodian.start("seal")
        until(lambda: custodian.job(job).notes.get("waiting_for") == 1)
        assert custodian.primary("seal") == before
        assert custodian.states("seal") == ["active", "pre-active"]
        custodian.ended(job)
        assert custodian.primary("seal") != before


def test_a_stopped_service_goes_on_where_it_was(served: Service) -> None:
    ledger = Ledger()
    with calling(served) as caller:
        stocked(caller, ledger, 12_000)
    with custody(served) as custodian:
        job = custodian.start("seal")
        until(lambda: custodian.job(job).done > 0)
        assert served.stop() == 0
        assert custodian.job(job).state in {"waiting", "done"}
        served.start()
        assert custodian.ended(job).done >= 12_000 * 3 // 4
    ledger.check(served)
