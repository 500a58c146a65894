"""Whether a caller is let in at all: frozen, or slowed down after a sweep; what is known is believed for a second."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from keys.errors import KeyProblem
from vault import sweeping
from vault.columns import Actor
from vault.errors import CallerFrozen, SlowedDown
from vault.resources import Resources
from vault.spending import who
from vault.store import lineage, spending

KEPT_SECONDS = 1.0
KEPT_CALLERS = 4_096


@dataclass(frozen=True, slots=True)
class _Known:
    until: float  # monotonic seconds
    frozen: bool
    barred_until: int  # microseconds since 1970


class Standing:
    """The callers seen within the last second; at most `KEPT_CALLERS`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._known: dict[tuple[int, str], _Known] = {}

    def require(self, actor: Actor) -> None:
        """Raise CallerFrozen, or SlowedDown with the seconds that are left, where the caller may do nothing now."""
        known = self._known.get((actor.tenant, actor.name))
        if known is None or known.until <= self._resources.monotonic():
            known = self._look(actor)
        if known.frozen:
            raise CallerFrozen("the caller is frozen; another person lets it again")
        wait = sweeping.left(known.barred_until, self._resources.database.now())
        if wait:
            raise SlowedDown("the caller named many tokens that there are not; wait before the next", wait)

    def forget(self) -> None:
        """Look every caller up anew: one was just frozen, or let again."""
        self._known = {}

    def _look(self, actor: Actor) -> _Known:
        until = self._resources.monotonic() + KEPT_SECONDS
        stopped, barred = self._stored(actor)
        if len(self._known) >= KEPT_CALLERS:
            self.forget()
        known = self._known[actor.tenant, actor.name] = _Known(until, stopped, barred)
        return known

    def _stored(self, actor: Actor) -> tuple[bool, int]:
        """Return whether a caller is frozen, and until when it is slowed down.

        Without keys nothing can be tried out, and who looks after a root that is away must get in.
        """
        digest = None
        with suppress(KeyProblem):
            digest = who(self._resources.keyring.keys(actor.tenant), actor)
        with self._resources.database.read() as connection:
            stopped = lineage.stopped(connection, actor.tenant, actor.name, self._resources.database.now())
            if digest is None:
                return stopped, 0
            return stopped, spending.barred(connection, actor.tenant, digest, sweeping.BARRED)
