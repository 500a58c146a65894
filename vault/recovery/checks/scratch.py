"""A restored database under examination, and what a look at it comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import NamedTuple

from vault.backup.model import Manifest
from vault.columns import Actor
from vault.recovery.restored import Restored
from vault.resources import Resources
from vault.store.examining import Tenant
from vault.store.tokens import Place, Stored, page

NAME = "drill"  # whom the scratch's audit records name
PAGE = 5_000  # rows read and opened at once
EVERY = 1_000  # of 1,000 values


class Found(NamedTuple):
    """What a look came to: how many things were looked at, how many are not as they should be, and the code of why."""

    checked: int
    bad: int = 0
    code: str = ""


class Skipped(Exception):
    """The look was not taken.

    Attributes:
        code: stable: why.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Scratch:
    """What was restored.

    Attributes:
        resources: of the scratch database.
        keyring, data: the manifests that were restored, full ones first.
        restored: what the restore said.
        tenants: all but the service itself.
        begun_at: microseconds since 1970 (UTC), of the drill.
        sample: of 1,000 values, how many are opened.
        random: draws samples.
        pause: waits so many seconds, for a job that another one holds up.
    """

    resources: Resources
    keyring: Sequence[Manifest]
    data: Sequence[Manifest]
    restored: Restored
    tenants: Sequence[Tenant]
    begun_at: int
    pause: Callable[[float], None]
    sample: int = EVERY
    random: Random = field(default_factory=SystemRandom)

    def drawn(self) -> bool:
        """Whether the next value is in the sample."""
        return self.sample >= EVERY or self.random.randrange(EVERY) < self.sample

    def pages(self, tenant: int) -> Iterator[list[Stored]]:
        """Yield a tenant's tokens, in the order of bucket and stored form."""
        after: Place = (-1, b"")
        while True:
            with self.resources.database.read() as connection:
                rows = page(connection, tenant, after, PAGE, None)
            if rows:
                yield rows
            if len(rows) < PAGE:
                return
            after = rows[-1].bucket, rows[-1].token


def actor(tenant: Tenant) -> Actor:
    """Return who asks on the scratch: the operator on the machine itself, whom no policy concerns."""
    return Actor(tenant.id, tenant.mode, NAME, NAME, kind="local")
