"""A witness is given each checkpoint with its proof, and its cosignature is kept beside the log's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import witnessing
from tests.vault.conftest import Shop, open_shop
from vault.audit import checkpoints, notes
from vault.sealer import Sealer
from vault.shipper import Shipper
from vault.sinks.opening import Surroundings, open_sink
from vault.store import audithealth, auditlog
from vault.store.tables import audit_sink


class Watched:
    """A shop whose logs a real witness watches."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop, self.memory = shop, witnessing.Memory(folder / "seen")
        self.cosigner = notes.Cosigner("witness.example", bytes(32))
        self.logs: dict[str, list[notes.Verifier]] = {}
        witness = witnessing.Witness(self.memory, self.logs, self.cosigner, time.time)
        self.server = witnessing.listen(witness, "127.0.0.1", 0, None)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()
        self.url = f"witness+http://127.0.0.1:{self.server.server_port}?key={self.cosigner.vkey}"

    def grow(self, count: int) -> None:
        """Seal so many requests, and have the witness trust the log."""
        for number in range(count):
            self.shop.tokenize("phone", f"+8613800{number:06}")
        Sealer(self.shop.resources, "test", lambda: False, lambda _: None, self.failed).run_once()
        with self.shop.resources.database.read() as connection:
            for log in auditlog.logs(connection):
                name = checkpoints.log_name(log.tenant, log.log)
                self.logs[name] = [
                    notes.Verifier(notes.vkey(name, signer.public))
                    for _, signer in auditlog.signers(connection, log.tenant, log.log)
                ]

    def ship(self) -> str:
        """Feed the witness, as a process that has just started does; return how it is."""
        sink = open_sink(self.url, Surroundings(time.time, time.monotonic))
        Shipper(self.shop.resources, [sink], "test", lambda: False, lambda _: None, self.failed).run_once()
        with self.shop.resources.database.read() as connection:
            (health,) = [one for one in audithealth.states(connection) if one.name == sink.name]
        return health.state

    def newest(self) -> notes.Note:
        with self.shop.resources.database.read() as connection:
            log = auditlog.current(connection, self.shop.actor.tenant)
            assert log is not None
            kept = auditlog.checkpoint(connection, log.tenant, log.log, log.size)
        assert kept is not None
        return notes.parse(kept.note)

    def failed(self, error: Exception) -> None:
        raise error


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    shop = open_shop(f"sqlite:///{tmp_path}/vault.db")
    made = Watched(shop, tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()
    shop.vault.close()


def test_each_checkpoint_is_cosigned_and_the_cosignature_kept(watched: Watched) -> None:
    for count in (3, 1, 7):
        watched.grow(count)
        assert watched.ship() == "ok"
        note = watched.newest()
        assert notes.verified(note, [notes.Verifier(watched.cosigner.vkey)]) == ["witness.example"]
        (name,) = {name for name in watched.logs if f"{watched.shop.actor.tenant:016x}" in name}
        assert notes.verified(note, watched.logs[name]) == [name]
        assert watched.memory.recall(name).size == checkpoints.read(note.text).size


def test_a_cursor_that_was_lost_is_learned_from_the_witness(watched: Watched) -> None:
    watched.grow(3)
    watched.ship()
    watched.shop.resources.database.write(
        lambda transaction: transaction.connection.execute(audit_sink.delete()) and None
    )
    watched.grow(2)
    assert watched.ship() == "ok"
    assert notes.verified(watched.newest(), [notes.Verifier(watched.cosigner.vkey)])


def test_a_witness_that_has_seen_more_is_no_reason_to_go_on(watched: Watched) -> None:
    """As when the database was restored: another log under its name would be a fork."""
    watched.grow(3)
    (name,) = {name for name in watched.logs if f"{watched.shop.actor.tenant:016x}" in name}
    watched.ship()
    seen = watched.memory.recall(name)
    watched.grow(2)
    watched.ship()
    with watched.shop.resources.database.read() as connection:
        log = auditlog.current(connection, watched.shop.actor.tenant)
    assert log is not None
    sizes = {"size": seen.size, "tenant": log.tenant}

    def back(transaction: object) -> None:
        connection = transaction.connection  # type: ignore[attr-defined]
        connection.execute(audit_sink.delete())
        connection.exec_driver_sql(
            f"UPDATE audit_log SET size = {sizes['size']} WHERE tenant = {sizes['tenant']}"
        )

    watched.shop.resources.database.write(back)
    assert watched.ship() == "sink_differs"
