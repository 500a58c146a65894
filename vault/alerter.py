"""Tell people of alarms: a thread of the worker, in one process at a time, that tries each hook until it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from vault.alarms import raise_alarm
from vault.errors import VaultError
from vault.hooks import Hook, NotTold
from vault.resources import Resources
from vault.store import alarms, auditlog, leases
from vault.store.alarms import Delivery
from vault.store.writer import Transaction

LEASE, LEASE_SECONDS = "alerter", 30.0  # longer than a round of hooks that all time out
LOOK = 1.0  # seconds between two rounds
DAY = 86_400  # seconds for which an alarm is tried
LONGEST = 300  # seconds between two attempts
BEHIND_SECONDS = 30  # that records may wait to be sealed before an alarm says so
BATCH = 5  # alarms in a round for each hook that did not fail in it


class Alerter:
    """Delivers alarms to hooks, and raises the one that nobody else can: that records are not sealed."""

    def __init__(
        self,
        resources: Resources,
        hooks: Sequence[Hook],
        holder: str,
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Tell `hooks`; for the rest see `shipper.Shipper`."""
        self._resources, self._hooks, self._holder = resources, {hook.name: hook for hook in hooks}, holder
        self._told, self._pause, self._failed = told, pause, failed
        self._looked: float | None = None
        self._thread = Thread(target=self._run, name="alerter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what is under way is done, and let another process go on."""
        if self._thread.is_alive():
            self._thread.join()
        leases.release(self._resources.database, LEASE, self._holder)

    def run_once(self) -> int:
        """Try what is due, each hook until it fails; return how many were told."""
        database = self._resources.database
        if leases.acquire(database, LEASE, self._holder, LEASE_SECONDS) is None:
            return 0
        self._watch()
        since = database.now() - DAY * 1_000_000
        database.write(lambda transaction: alarms.owe(transaction, list(self._hooks), since))
        with database.read() as connection:
            due = alarms.due(connection, list(self._hooks), database.now(), since, BATCH)
        failing, told = set[str](), 0
        for delivery in due:
            if delivery.hook not in failing and not self._told():
                sent = self._try(delivery, self._hooks[delivery.hook])
                told += sent
                failing |= set() if sent else {delivery.hook}
        return told

    def _run(self) -> None:
        while not self._told():
            try:
                self.run_once()
            except VaultError:  # the database is away: what is due stays due
                pass
            except Exception as error:  # noqa: BLE001 - the thread lives on
                self._failed(error)
            self._pause(LOOK)

    def _try(self, delivery: Delivery, hook: Hook) -> bool:
        database, alarm_id = self._resources.database, delivery.alarm.id
        try:
            hook.tell(delivery.alarm)
        except NotTold as problem:
            wait = DAY if problem.for_good else min(LONGEST, 2**delivery.attempts)
            code, at = problem.code, database.now() + wait * 1_000_000

            def failed(transaction: Transaction) -> None:
                alarms.failed(transaction, alarm_id, hook.name, code, at)

            database.write(failed)
            return False
        database.write(lambda transaction: alarms.told(transaction, alarm_id, hook.name))
        return True

    def _watch(self) -> None:
        """Raise an alarm if the oldest record in the inbox has waited for long."""
        now, database = self._resources.monotonic(), self._resources.database
        if self._looked is not None and now - self._looked < BEHIND_SECONDS:
            return
        self._looked = now
        with database.read() as connection:
            oldest = auditlog.oldest_waiting(connection)
        waited = 0 if oldest is None else (database.now() - oldest) // 1_000_000
        if waited > BEHIND_SECONDS:
            detail = {"seconds": waited}
            database.write(lambda transaction: raise_alarm(transaction, None, "audit_behind", detail))
