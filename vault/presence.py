"""This process among the others: it says that it lives and which keys it holds, and keeps up with what turns."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from vault.errors import VaultError
from vault.resources import Resources
from vault.store import presence
from vault.store.writer import Transaction

LOOK = 1.0  # seconds between two looks at whether a keyset turned
SAY = 5.0  # seconds after which it is said again, though nothing changed


class Presence:
    """A thread that keeps this process's keys up to date and says so in the database."""

    def __init__(
        self,
        resources: Resources,
        kind: str,
        name: str,
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        """Speak for this process.

        Args:
            kind: "serve" or "worker".
            name: the process's, and no other's ever.
            failed: hears of what nobody expected; a process that fell silent would be taken for dead.
        """
        self._resources, self._kind, self._id, self._failed = resources, kind, name, failed
        self._ending = Event()
        self._said: tuple[float, dict[int, int]] | None = None
        self._thread = Thread(target=self._live, name="presence", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and say so, so that nobody waits for this process."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            self._resources.database.write(lambda transaction: presence.leave(transaction, self._id))
        except VaultError:
            return  # it is not heard of any more, which says the same

    def look(self) -> None:
        """Load what changed, and say what is held if that is news."""
        self._resources.keyring.keep_up()
        loaded, now = self._resources.keyring.loaded(), self._resources.monotonic()
        if self._said is not None and self._said[1] == loaded and now - self._said[0] < SAY:
            return

        def work(transaction: Transaction) -> None:
            presence.announce(transaction, self._id, self._kind, loaded)

        self._resources.database.write(work)
        self._said = now, loaded

    def _live(self) -> None:
        while True:
            try:
                self.look()
            except VaultError:  # the database is away: said again when it is back
                self._said = None
            except Exception as error:  # noqa: BLE001 - the thread lives on
                self._said = None
                self._failed(error)
            if self._ending.wait(LOOK):
                return
