"""The sealer: moves audit records from the inbox into their tenants' logs, in the one process that has the lease."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Thread

from keys.errors import KeyProblem
from vault.alarms import raise_alarm
from vault.audit import opening
from vault.audit.faults import AuditFault
from vault.audit.growing import grow
from vault.audit.merging import merge
from vault.audit.trail import FAN
from vault.errors import LeaseLost, StaleKeyset, StoreUnavailable, VaultError
from vault.gatekeeping import is_fresh
from vault.resources import Resources
from vault.store import auditgrowth, audithealth, auditlog, leases
from vault.store.auditlog import Log, Waiting
from vault.store.writer import Overtaken, Transaction

LEASE, LEASE_SECONDS = "audit-sealer", 5.0
ROUND_SECONDS = 0.5
FIRST_LOOK = 4.0  # seconds that a new process waits for the places outside to be looked at
RENEW_SECONDS = 1.0  # age of the lease from which it is renewed between two commits
BATCH_RECORDS, BATCH_BYTES = 5_000, 8 * 1_024 * 1_024  # moved in one commit
SCAN = 100_000  # records that are looked at in one go
STARTS = (
    20  # logs that are told in one round that they go on: what waits there already is not to wait for more
)
END_SECONDS = 5.0  # for which a process that was told to end still seals
SAID = 500  # records of sealing itself in one commit
BROKEN = "sealing_failed"  # the state while something fails that nobody expects


class Sealer:
    """Seals every half second until the process is told to end; any number of processes may have one."""

    def __init__(
        self,
        resources: Resources,
        holder: str,
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Work on `resources`.

        Args:
            holder: names the process in the lease.
            told: whether the process was told to end.
            pause: waits so many seconds, or less if it was.
            failed: hears of what nobody expected; the records stay in the inbox, and are tried again.
        """
        self._resources, self._holder = resources, holder
        self._told, self._pause, self._failed = told, pause, failed
        self._fence: int | None = None
        self._held_at, self._state = float("-inf"), audithealth.OK
        self._unsaid: list[Log] = []  # logs that were not yet told that they go on
        self._batches: dict[int, int] = defaultdict(lambda: FAN)  # by tenant: since runs were last merged
        self._damaged: set[int] = set()  # tenants whose log is not what was signed, of which an alarm tells
        self._thread = Thread(target=self._work, name="sealer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what is in the inbox is sealed, and the logs say that they stopped."""
        self._thread.join()

    def run_once(self) -> int:
        """Seal what is in the inbox, unless another process does; return how many records that was."""
        return self.run_round() + self.end()

    def run_round(self) -> int:
        """Take or renew the lease and seal what is in the inbox; return how many records that was."""
        if not self._hold():
            return 0
        part, self._unsaid = self._unsaid[:STARTS], self._unsaid[STARTS:]
        self._unsaid += self._say(opening.STARTED, part)
        return self._seal_all(float("inf"))

    def _seal_all(self, until: float) -> int:
        """Seal what is in the inbox, and begin no other batch once it is `until` (monotonic seconds)."""
        state, total, shut = self._state, 0, set[int]()
        self._state = audithealth.OK
        while True:
            with self._resources.database.read() as connection:
                found = auditlog.waiting(connection, SCAN, sorted(shut))
            for batch in _batches(found):
                if batch[0].tenant not in shut:
                    total += self._seal(batch, shut)
                if self._age() > RENEW_SECONDS and not self._hold():
                    return total
                if self._resources.monotonic() > until:
                    return total
            if len(found) < SCAN:
                break
        if self._state != state:
            self._hold()
        return total

    def end(self) -> int:
        """Say in the logs that sealing ends, seal that too, and give the lease back; return how many records.

        What is not sealed within END_SECONDS is left to whoever has the lease next.
        """
        if self._fence is None:
            return 0
        with self._resources.database.read() as connection:
            held = [
                log for log in auditlog.logs(connection) if log.tenant in self._resources.keyring.loaded()
            ]
        self._say(opening.STOPPED, [log for log in held if log.closed_at is None])
        total = self._seal_all(self._resources.monotonic() + END_SECONDS) if self._hold() else 0
        leases.release(self._resources.database, LEASE, self._holder)
        self._fence = None
        return total

    def _work(self) -> None:
        self._guarded(self._wait_for_places)
        while not self._told():
            self._guarded(self.run_round)
            self._pause(ROUND_SECONDS)
        self._guarded(self.end)

    def _wait_for_places(self) -> int:
        """Wait until the places outside were looked at, where there are any, but not for long.

        A database that was restored is behind them, and the first checkpoint signed would fork the log.
        """
        until = self._resources.monotonic() + FIRST_LOOK
        while not self._told() and self._resources.monotonic() < until and self._places_unseen():
            self._pause(ROUND_SECONDS / 5)
        return 0

    def _places_unseen(self) -> bool:
        with self._resources.database.read() as connection:
            seen = audithealth.state(connection, audithealth.OUTSIDE)
        return seen is not None and not is_fresh(seen.seen_at, self._resources.database.now())

    def _guarded(self, step: Callable[[], int]) -> None:
        try:
            step()
        except VaultError:
            return  # the database is away, or the lease is: tried again
        except Exception as error:  # noqa: BLE001 - the thread lives on
            self._failed(error)

    def _age(self) -> float:
        return self._resources.monotonic() - self._held_at

    def _hold(self) -> bool:
        """Take or renew the lease, and say how sealing goes; return whether this process has it."""

        def work(transaction: Transaction) -> int | None:
            fence = leases.take(transaction, LEASE, self._holder, LEASE_SECONDS, self._resources.gone)
            if fence is not None:
                audithealth.tell(transaction, audithealth.SEALER, self._state)
            return fence

        before, self._held_at = self._fence, self._resources.monotonic()
        self._fence = self._resources.database.write(work)
        if self._fence not in {None, before}:
            with self._resources.database.read() as connection:
                self._unsaid = [log for log in auditlog.logs(connection) if log.closed_at is None]
        return self._fence is not None

    def _require(self, transaction: Transaction) -> None:
        leases.require(transaction, LEASE, self._holder, self._fence or 0)

    def _say(self, operation: str, logs: Sequence[Log]) -> list[Log]:
        """Put a record of sealing itself into the inboxes of these logs' tenants; return those that it could not."""
        database, left, rows = self._resources.database, [], []
        for log in logs:
            try:
                rows.append(
                    opening.row(log, self._resources.keyring.keys(log.tenant), database.now(), operation)
                )
            except KeyProblem:
                left.append(log)
        for at in range(0, len(rows), SAID):
            part = rows[at : at + SAID]
            database.write(lambda transaction, part=part: transaction.append("audit_record", part))  # type: ignore[misc]
        return left

    def _seal(self, batch: Sequence[Waiting], shut: set[int]) -> int:
        """Move a tenant's records; a tenant for whom that does not work now is shut out of this round, nobody else."""
        tenant = batch[0].tenant
        try:
            return self._append(tenant, batch)
        except (LeaseLost, StoreUnavailable):
            raise
        except Overtaken:
            shut.add(tenant)
        except StaleKeyset:
            shut.add(tenant)
            with suppress(KeyProblem):
                self._resources.keyring.refresh(tenant)
        except (KeyProblem, VaultError, Withheld) as error:
            shut.add(tenant)
            self._state = error.code
        except AuditFault as error:
            shut.add(tenant)
            self._state = error.code
            self._alarm(tenant, error.code)
        except Exception as error:  # noqa: BLE001 - of this tenant's rows: nobody else waits for it
            shut.add(tenant)
            self._state = BROKEN
            self._failed(error)
        return 0

    def _alarm(self, tenant: int, code: str) -> None:
        """Tell once that a tenant's log is damaged: it is tried again every round."""
        if tenant in self._damaged:
            return
        self._resources.database.write(
            lambda transaction: raise_alarm(transaction, tenant, "audit_damaged", {"code": code})
        )
        self._damaged.add(tenant)

    def _append(self, tenant: int, batch: Sequence[Waiting]) -> int:
        database, keys = self._resources.database, self._resources.keyring.keys(tenant)
        log = self._log(tenant)
        with database.read() as connection:
            if auditlog.sinks_ahead(connection, tenant, log.log, log.size):
                raise Withheld
            places = [(one.bucket, one.id) for one in batch]
            leaves = auditlog.inbox(connection, database.dialect, tenant, places)
            known = {one.key: one for _, one in auditlog.signers(connection, tenant, log.log)}
            newest = auditlog.checkpoint(connection, tenant, log.log, log.size)
            read = partial(auditlog.tiles, connection, database.dialect, tenant, log.log)
            records = [(one.id, leaves[one.id]) for one in batch if one.id in leaves]
            if not records:
                return 0
            if log.size == 0:
                records.insert(0, opening.first(log, keys, database.now()))
            note = "" if newest is None else newest.note
            grown = grow(log, records, places, keys, known, database.now(), read, note)

        def work(transaction: Transaction) -> None:
            self._require(transaction)
            auditgrowth.grow(transaction, grown)

        database.write(work, guard=(tenant, keys.generation))
        self._damaged.discard(tenant)
        self._merge(log._replace(size=grown.size))
        return len(records)

    def _log(self, tenant: int) -> Log:
        """Return the tenant's log, its first one opened if it had none."""
        database = self._resources.database
        with database.read() as connection:
            log = auditlog.current(connection, tenant)
        if log is not None:
            return log
        new = Log(tenant, 1, database.now(), None, 0, 0, None, None, None)
        database.write(lambda transaction: auditgrowth.open_log(transaction, new))
        return new

    def _merge(self, log: Log) -> None:
        self._batches[log.tenant] += 1
        if self._batches[log.tenant] >= FAN:
            self._batches[log.tenant] = 0
            while merge(self._resources.database, log, self._require):
                if self._age() > RENEW_SECONDS and not self._hold():
                    return


class Withheld(Exception):
    """A sink has more of the log than the database: it was restored, and to go on would fork the log."""

    code = "log_behind_sinks"


def _batches(found: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """Yield one tenant's records at a time, in order, no more than go into one commit."""
    filling: dict[int, tuple[list[Waiting], int]] = {}
    for one in found:
        batch, size = filling.get(one.tenant, ([], 0))
        if batch and (len(batch) == BATCH_RECORDS or size + one.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(one)
        filling[one.tenant] = batch, size + one.size
    yield from (batch for batch, _ in filling.values())
