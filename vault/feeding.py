"""One place outside and what it has been given: what it lacks is delivered, and how it is, is said every round."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vault import outside
from vault.alarms import raise_alarm
from vault.audit import merkle, notes, tiles
from vault.audit.checkpoints import log_name
from vault.errors import VaultError
from vault.outside import Said
from vault.resources import Resources
from vault.sinks.protocol import Batch, Entry, ProofNeeded, Sink, SinkFailed
from vault.store import auditlog, sinks
from vault.store.audithealth import OK
from vault.store.auditlog import Log
from vault.store.sinks import START, Cursor
from vault.store.writer import Transaction

PAUSE = 0.4  # seconds between two rounds; with a sink's patience and the gate's look, a failure shows within 2 seconds
SETTLE = 1.0  # seconds after a failure, so that every process has seen it before the sink is well again
MOST_RECORDS, MOST_BYTES, FEWEST = 2_000, 4 * 1024 * 1024, 50  # of a batch; fewer for a sink that is slow
BEHIND_SECONDS = 30  # after which an alarm says that a sink does not keep up


class Feed:
    """One sink and what it has been given."""

    def __init__(
        self,
        resources: Resources,
        sink: Sink,
        holding: frozenset[str],
        held: Callable[[], int | None],
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Args: `holding` are the names of all sinks that hold records, `held` returns the lease's fencing number."""
        self.name = sink.name
        self._resources, self._sink, self._holding, self._held = resources, sink, holding, held
        self._told, self._pause, self._failed = told, pause, failed
        self._fence: int | None = None
        self._most = MOST_RECORDS

    def run(self) -> None:
        """Go round until the process is told to end."""
        while not self._told():
            well = True
            try:
                well = self.round()
            except VaultError:  # the database is away: what nobody says any more is not believed for long
                pass
            except Exception as error:  # noqa: BLE001 - the thread lives on
                self._failed(error)
            self._pause(PAUSE if well else SETTLE)

    def end(self) -> None:
        """Go round a last time, a batch of each log, and close the sink."""
        try:
            self.round()
        except Exception as error:  # noqa: BLE001 - what is left goes out when a process runs again
            self._failed(error)
        finally:
            self._sink.close()

    def round(self) -> bool:
        """Give the sink what it lacks, or look how it is, and say so; return False if it failed."""
        fence = self._held()
        if fence != self._fence:  # another process may have written there in the meantime
            self._sink.close()
            self._fence = fence
        if fence is None:
            return True
        try:
            self._sink.probe()
            self._deliver()
            self._tell(OK)
        except SinkFailed as failure:
            if failure.code == "sink_slow":
                self._most = max(FEWEST, self._most // 2)
            self._tell(failure.code)
            return False
        return True

    def _deliver(self) -> None:
        with self._resources.database.read() as connection:
            cursors, logs = sinks.cursors(connection, self.name), auditlog.logs(connection)
        ahead = [log for log in logs if self._is_ahead(log, cursors.get((log.tenant, log.log), START))]
        for log in logs:
            if log not in ahead:
                self._log(log, cursors.get((log.tenant, log.log), START))
        if ahead:
            raise SinkFailed("sink_differs", "the place holds more of a log than the database")

    def _is_ahead(self, log: Log, cursor: Cursor) -> bool:
        """Whether the place holds more of a log than the database, which was restored; then nobody seals it further.

        Not of a log that has ended: the next one says what of it was lost.
        """
        holds = self._sink.restart_from(log_name(log.tenant, log.log)) if self._sink.holds_records else None
        if holds is None or holds <= log.size or log.closed_at is not None:
            return False
        if cursor.position != holds:
            known = Cursor(holds, cursor.size)
            self._resources.database.write(
                lambda transaction: sinks.move(transaction, self.name, (log.tenant, log.log), known)
            )
        return True

    def _log(self, log: Log, cursor: Cursor) -> None:
        """Deliver all of a log that the sink lacks."""
        holds = self._sink.restart_from(log_name(log.tenant, log.log))
        if holds is not None and self._sink.holds_records:
            cursor = cursor if holds >= cursor.position else Cursor(holds, 0)
        elif holds is not None:
            cursor = Cursor(cursor.position, holds)
        corrected = begun = False
        while not (begun and self._told()) and self._held() == self._fence:
            begun = True
            batch, after = self._batch(log, cursor)
            if batch is None:
                return
            try:
                note = self._sink.deliver(batch)
            except ProofNeeded as needed:
                if corrected:
                    raise
                corrected, cursor = True, Cursor(cursor.position, needed.size)
                continue
            self._most = min(MOST_RECORDS, self._most * 2)
            self._moved(log, after, batch, note)
            corrected, cursor = False, after

    def _batch(self, log: Log, cursor: Cursor) -> tuple[Batch | None, Cursor]:
        """Return what comes next behind a cursor, and the cursor behind that; None if there is nothing."""
        database, entries = self._resources.database, list[Entry]()
        with database.read() as connection:
            if self._sink.holds_records and cursor.position < log.size:
                first = max(cursor.position, log.dropped)
                found = auditlog.leaves(connection, log.tenant, log.log, first, self._most)
                entries = _within([Entry(leaf.position, leaf.leaf) for leaf in found])
            end = entries[-1].position + 1 if entries else cursor.position
            whole = end >= log.size or not self._sink.holds_records
            note = None
            if whole and cursor.size < log.size:
                note = auditlog.checkpoint(connection, log.tenant, log.log, log.size)
            proof = self._proof(log, cursor.size) if note is not None and not self._sink.holds_records else ()
        if not entries and note is None:
            return None, cursor
        size = log.size if note is not None else cursor.size
        batch = Batch(
            log.tenant, log.log, log_name(log.tenant, log.log), entries, size, note.note if note else "",
            cursor.size, proof,
        )  # fmt: skip
        return batch, Cursor(end, size)

    def _proof(self, log: Log, first: int) -> Sequence[bytes]:
        """Return the proof that the tree of `first` leaves is the beginning of the log's (RFC 6962, section 2.1.2)."""
        if not 0 < first < log.size:
            return ()
        database = self._resources.database

        def read(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
            with database.read() as connection:
                return auditlog.tiles(connection, database.dialect, log.tenant, log.log, places)

        return merkle.consistency_proof(first, log.size, tiles.nodes(log.size, read))

    def _moved(self, log: Log, cursor: Cursor, batch: Batch, note: str) -> None:
        late = self._late(log, cursor, batch)

        def work(transaction: Transaction) -> str | None:
            sinks.move(transaction, self.name, (log.tenant, log.log), cursor)
            if note:
                _cosign(transaction, batch, note)
            if late:
                detail: dict[str, str | int] = {"sink": self.name, "records": log.size - cursor.position}
                raise_alarm(transaction, None, "audit_behind", detail, cause=self.name)
            return outside.tell(transaction, Said(self.name, OK), self._holding)

        self._on_record(self._resources.database.write(work))

    def _late(self, log: Log, cursor: Cursor, batch: Batch) -> bool:
        """Whether what comes next has waited for long."""
        if not batch.entries or cursor.position >= log.size:
            return False
        with self._resources.database.read() as connection:
            at = auditlog.time_of(connection, log.tenant, log.log, cursor.position)
        return at is not None and self._resources.database.now() - at > BEHIND_SECONDS * 1_000_000

    def _tell(self, state: str) -> None:
        def work(transaction: Transaction) -> str | None:
            return outside.tell(transaction, Said(self.name, state), self._holding)

        self._on_record(self._resources.database.write(work))

    def _on_record(self, kind: str | None) -> None:
        """Write the records of a pause or resumption; their keys may be away, which must not hold up the news."""
        if kind is None:
            return
        rows = list(outside.records(self._resources, kind))
        self._resources.database.write(
            lambda transaction: transaction.append("audit_record", rows), reads=False
        )


def _cosign(transaction: Transaction, batch: Batch, note: str) -> None:
    """Keep what a witness signed beside the signatures that the checkpoint has."""
    kept = auditlog.checkpoint(transaction.connection, batch.tenant, batch.log, batch.size)
    if kept is not None:
        both = notes.with_signatures(notes.parse(kept.note), notes.parse(note).signatures)
        sinks.cosign(transaction, (batch.tenant, batch.log), batch.size, both.whole())


def _within(entries: list[Entry]) -> list[Entry]:
    """Return as many entries as a batch may have bytes, one at least."""
    size = 0
    for at, entry in enumerate(entries):
        size += len(entry.leaf)
        if size > MOST_BYTES and at:
            return entries[:at]
    return entries
