"""The lease under which one process at a time makes backups."""

from __future__ import annotations

from threading import Lock

from vault.resources import Resources
from vault.store import leases
from vault.store.writer import Transaction

LEASE, LEASE_SECONDS, RENEW_SECONDS = "backups", 15.0, 3.0


class Holding:
    """The lease in this process's hands; for all its threads."""

    def __init__(self, resources: Resources, holder: str) -> None:
        self._resources, self._holder = resources, holder
        self._lock = Lock()
        self._looked: float | None = None
        self._fence: int | None = None

    def held(self) -> int | None:
        """Take the lease, or renew it; return its fencing number, None while another process has it."""
        with self._lock:
            now = self._resources.monotonic()
            if self._looked is None or now - self._looked >= RENEW_SECONDS:
                self._fence = None
                self._fence = self._resources.database.write(self._take)
                self._looked = now
            return self._fence

    def _take(self, transaction: Transaction) -> int | None:
        return leases.take(transaction, LEASE, self._holder, LEASE_SECONDS, self._resources.gone)

    def require(self, transaction: Transaction, fence: int) -> None:
        """Keep the lease until the transaction ends; Refused, with LeaseLost, if another process has had it since."""
        leases.require(transaction, LEASE, self._holder, fence)

    def release(self) -> None:
        """Give the lease back, so that another process need not wait for its end."""
        with self._lock:
            leases.release(self._resources.database, LEASE, self._holder)
            self._fence = self._looked = None
