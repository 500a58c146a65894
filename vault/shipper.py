"""Give the audit's records and checkpoints to the places outside: a thread each, in one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock, Thread

from vault.feeding import Feed
from vault.resources import Resources
from vault.sinks.protocol import Sink
from vault.store import leases

LEASE, LEASE_SECONDS, RENEW = "audit-shipper", 5.0, 1.0


class Shipper:
    """Feeds all sinks while this process holds the lease."""

    def __init__(
        self,
        resources: Resources,
        places: Sequence[Sink],
        holder: str,
        told: Callable[[], bool],
        pause: Callable[[float], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Feed `places` from the logs of `resources`.

        Args:
            holder: names the process in the lease.
            told: whether the process was told to end.
            pause: waits so many seconds, or less if it was.
            failed: hears of what nobody expected; the thread goes on.
        """
        self._resources, self._holder, self._told = resources, holder, told
        holds = _Lease(resources, holder)
        names = frozenset(sink.name for sink in places if sink.holds_records)
        self._feeds = [Feed(resources, sink, names, holds.held, told, pause, failed) for sink in places]
        self._threads = [
            Thread(target=feed.run, name=f"ship {feed.name}", daemon=True) for feed in self._feeds
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until what is under way is done, give away what was sealed last, and let another process go on."""
        for thread, feed in zip(self._threads, self._feeds, strict=True):
            if thread.is_alive():
                thread.join()
            feed.end()
        if self._feeds:
            leases.release(self._resources.database, LEASE, self._holder)

    def run_once(self) -> None:
        """Give every sink what it lacks, and return."""
        for feed in self._feeds:
            feed.round()


class _Lease:
    """The shippers' lease, asked for by several threads and renewed once a second."""

    def __init__(self, resources: Resources, holder: str) -> None:
        self._resources, self._holder = resources, holder
        self._lock = Lock()
        self._looked: float | None = None
        self._fence: int | None = None

    def held(self) -> int | None:
        """Return the lease's fencing number; None while another process has it."""
        with self._lock:
            now = self._resources.monotonic()
            if self._looked is None or now - self._looked > RENEW:
                self._fence = leases.acquire(self._resources.database, LEASE, self._holder, LEASE_SECONDS)
                self._looked = now
            return self._fence
