"""What all that makes backups works with: one line of backups of one installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import msgspec

from vault.backup import layout, manifests
from vault.backup.model import Origin
from vault.backup.plan import Plan
from vault.errors import LeaseLost
from vault.recovery import ownkeys
from vault.recovery.escrow import Escrow
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.resources import Resources
from vault.store import catalogue
from vault.store.streams import Stream


class Interrupted(Exception):
    """The process was told to end while it made a backup; the next one begins anew."""

    code = "interrupted"


@dataclass(slots=True)
class Line:
    """One line of backups, in the process that makes it.

    Attributes:
        installation: 16 hex digits; `follows`: what its database was restored from.
        order: held from before a snapshot is taken until its backups have their numbers.
        above: the newest number of each stream that any target has.
        making: the backups that this process makes now.
        settled: the lease's fencing number since which what others left running is settled.
        unsettled: whether a backup of ours may have been left running, as the database was away.
    """

    resources: Resources
    holding: Holding
    health: Health
    escrow: Escrow
    told: Callable[[], bool]
    installation: str
    follows: Origin | None
    order: Lock = field(default_factory=Lock)
    above: dict[Stream, int] = field(default_factory=dict)
    making: set[tuple[Stream, int]] = field(default_factory=set)
    settled: int | None = None
    unsettled: bool = False

    @property
    def plan(self) -> Plan:
        """What the settings say of backups."""
        return self.resources.backups

    def fence(self) -> int:
        """Return the lease's fencing number.

        Raises:
            Interrupted: this process was told to end.
            LeaseLost: another process has the lease, or had it, and what it left running is not settled yet.
        """
        if self.told():
            raise Interrupted
        fence = self.holding.held()
        if fence is None or fence != self.settled:
            raise LeaseLost("another worker makes the backups now")
        return fence

    def digest_key(self) -> tuple[str, bytes]:
        """Return name and bytes of the key of digests."""
        key = ownkeys.digest_key(self.resources)
        return f"{key.id:016x}", manifests.digest_key(key)

    def recipients(self) -> dict[str, list[str]]:
        """Return whom chunks are sealed to, by what they are for."""
        asked = self.plan.recipients
        found = {
            "recovery": list(asked.recovery), "drill": list(asked.drill),
            "root": [ownkeys.recipient(self.resources)],
        }  # fmt: skip
        return {kind: known for kind, known in found.items() if known}


def of_installation(resources: Resources) -> tuple[str, Origin | None]:
    """Return the name of this installation, which is drawn at first use, and what it was restored from."""
    number, follows = resources.database.write(catalogue.installation_of)
    return layout.installation(number), origin_of(follows)


def origin_of(follows: str | None) -> Origin | None:
    """Return what a database says that it was restored from; None where it was not."""
    return None if follows is None else _Origin.decode(follows)


_Origin = msgspec.json.Decoder(Origin)
