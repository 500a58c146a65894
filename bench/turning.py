"""Keys that turn: rows resealed and entries moved a second, beside the bare updates; and what readers notice of it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bench import load, values
from bench.lines import Line
from bench.places import Place
from bench.plan import Plan
from tests.scenarios.custodian import Custodian, custody
from tests.service import Service
from vault.store.database import Database
from vault.store.jobs import Job
from vault.store.tables import index_entry, token

TARGET = 0.50
FILL = 10_000  # values a column
COMMIT = 1_000  # rows in one commit of the bare updates: five times ours, since nobody waits for them
READS = 2_000  # requests that are not alike
HALF = 0.5  # of what the service can do


def run(place: Place, service: Service, plan: Plan) -> list[Line]:
    """Fill a table, turn its seal and its index keyset, and do the bare updates of the same rows."""
    key = service.keys["live"]
    columns = values.parts(values.cards(4 * 10**8, plan.turned), FILL)
    asks = [load.post("/v1/tokens/column", {"field": "bank_card", "values": one}, key) for one in columns]
    load.once(service.port, asks, 2)
    with custody(service) as custodian:
        seal = _rate(custodian, "seal", "rows")
        index = _rate(custodian, "index", "entries")
        bare = Bare(service.database_url, custodian.actor.tenant)
        try:
            peers = bare.rate(bare.reseal), bare.rate(bare.move)
        finally:
            bare.close()
        lines = [
            Line("turning", place.store, f"{what} of {plan.turned:,}", rate, "rows", peer, theirs, TARGET)
            for what, rate, peer, theirs in (
                ("reseal", seal, "bare bulk update", peers[0]),
                ("re-index", index, "bare update, delete, insert", peers[1]),
            )
        ]
        return [*lines, _noticed(place, service, plan, custodian)]


def _rate(custodian: Custodian, purpose: str, phase: str) -> float:
    """Turn a keyset; return the rows a second of the phase that goes through the rows."""
    began: float | None = None
    job = custodian.job(custodian.start(purpose))
    while job.phase != phase or not job.done:
        job = custodian.job(job.id)
    began, before = time.perf_counter(), job.done
    while job.finished_at is None:
        time.sleep(0.005)
        job = custodian.job(job.id)
    return (_good(job).done - before) / (time.perf_counter() - began)


def _good(job: Job) -> Job:
    if job.state != "done":
        raise SystemExit(f"the keyset did not turn: {job.error}")
    return job


class Bare:
    """The peer: the same rows updated by SQLAlchemy Core, and nothing is read, opened or sealed."""

    def __init__(self, url: str, tenant: int) -> None:
        self._database, self._tenant = Database(url, time.time, time.monotonic), tenant
        self._connection = self._database.engine.connect()
        with self._connection.begin():
            columns = (token.c.bucket, token.c.token, token.c.sealed, token.c.index_key, token.c.digest)
            query = select(*columns).where(token.c.tenant == tenant).order_by(token.c.bucket, token.c.token)
            self._rows = self._connection.execute(query).all()

    def rate(self, change: Callable[[Connection, Sequence[Any]], None]) -> float:
        """Return the rows a second of a change, batch by batch."""
        start = time.perf_counter()
        for part in values.parts(self._rows, COMMIT):  # type: ignore[type-var]
            with self._connection.begin():
                change(self._connection, part)
        return len(self._rows) / (time.perf_counter() - start)

    def reseal(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Update what a reseal updates, with the bytes that are there."""
        statement = self._update().values(sealed=bindparam("sealed"), seal_key=bindparam("key"), epoch=1)
        connection.execute(statement, [
            {"b": row.bucket, "t": row.token, "sealed": row.sealed, "key": 1} for row in rows
        ])  # fmt: skip

    def move(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Update, delete and insert what a re-index does."""
        digests = [secrets.token_bytes(16) for _ in rows]
        statement = self._update().values(index_key=bindparam("key"), digest=bindparam("digest"), epoch=1)
        connection.execute(statement, [
            {"b": row.bucket, "t": row.token, "key": 1, "digest": digest}
            for row, digest in zip(rows, digests, strict=True)
        ])  # fmt: skip
        old = delete(index_entry).where(
            index_entry.c.bucket == bindparam("b"), index_entry.c.tenant == self._tenant,
            index_entry.c.key == bindparam("k"), index_entry.c.digest == bindparam("d"),
            index_entry.c.tie == bindparam("t"),
        )  # fmt: skip
        connection.execute(old, [
            {"b": row.bucket, "k": row.index_key, "d": row.digest, "t": row.token} for row in rows
        ])  # fmt: skip
        connection.execute(insert(index_entry), [
            {"bucket": row.bucket, "tenant": self._tenant, "key": 1, "digest": digest, "tie": row.token,
             "token_bucket": row.bucket, "token": row.token, "epoch": 1}
            for row, digest in zip(rows, digests, strict=True)
        ])  # fmt: skip

    def close(self) -> None:
        self._connection.close()
        self._database.close()

    def _update(self) -> Any:  # noqa: ANN401
        return update(token).where(
            token.c.bucket == bindparam("b"), token.c.tenant == self._tenant, token.c.token == bindparam("t")
        )


def _noticed(place: Place, service: Service, plan: Plan, custodian: Custodian) -> Line:
    """Offer single reads at half of what the service can do, without and with a keyset that turns."""
    key, purpose = service.keys["live"], "index"
    cards = values.cards(5 * 10**8, READS)
    tokens = service.post("/v1/tokens/column", {"field": "bank_card", "values": cards})[1]["tokens"]
    assert isinstance(tokens, list)
    asks = [load.post("/v1/reveal", {"tokens": [one], "purpose": "service"}, key) for one in tokens]
    rate = HALF * load.lasting(service.port, asks, plan.connections, plan.seconds).rate
    alone = load.offered(service.port, asks, plan.connections, plan.seconds, rate)
    stop = threading.Event()
    turner = threading.Thread(target=_keep_turning, args=(custodian, purpose, stop))
    turner.start()
    beside = load.offered(service.port, asks, plan.connections, plan.seconds, rate)
    stop.set()
    turner.join()
    return Line(
        "turning", place.store, "1/p99 of reads at half load, keys turning", 1 / beside.p99, "p99s",
        "without", 1 / alone.p99, TARGET,
        f"p99 {beside.p99 * 1000:.1f} against {alone.p99 * 1000:.1f} ms at {rate:,.0f} reads/s, {beside.failed} failed",
    )  # fmt: skip


def _keep_turning(custodian: Custodian, purpose: str, stop: threading.Event) -> None:
    while not stop.is_set():
        custodian.ended(custodian.start(purpose))
