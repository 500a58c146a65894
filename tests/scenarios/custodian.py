"""A custodian beside a running service: has keys turned through the vault itself, and looks at what became of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from api.config import load
from api.wiring import open_vault
from tests.service import Service
from tests.waiting import until
from vault.columns import Actor
from vault.service import Vault
from vault.store.jobs import Job


@dataclass(slots=True)
class Custodian:
    """Somebody of the service's tenant who may turn keys."""

    vault: Vault
    actor: Actor

    def primary(self, purpose: str) -> str:
        """Return the id of a keyset's primary."""
        (keyset,) = [one for one in self.vault.keysets(self.actor) if one.purpose == purpose]
        return next(version.id for version in keyset.versions if version.state == "active")

    def states(self, purpose: str) -> list[str]:
        """Return the states of a keyset's versions, the oldest first."""
        return [version.state for version in self.vault.keyset(self.actor, purpose).versions]

    def start(self, kind: str) -> str:
        """Start a job, to rotate a purpose or, behind `leaked `, to empty its primary that leaked; return its id."""
        if kind.startswith("leaked "):
            return self.vault.compromise_key(self.actor, self.primary(kind.removeprefix("leaked "))).id
        return self.vault.rotate_keyset(self.actor, kind).id

    def job(self, job_id: str) -> Job:
        """Return a job as it stands."""
        return self.vault.job(self.actor, job_id)

    def ended(self, job_id: str) -> Job:
        """Wait for a job's end, which must be a good one, and return it."""
        until(lambda: self.job(job_id).finished_at is not None)
        done = self.job(job_id)
        assert (done.state, done.error, done.skipped) == ("done", None, 0), done
        return done


@contextmanager
def custody(service: Service) -> Iterator[Custodian]:
    """Give a custodian of a service's live data."""
    with patch.dict(os.environ, service.environment):
        settings = load()
    vault = open_vault(settings)
    record = vault.find_api_key(service.keys["live"])
    assert record is not None
    try:
        yield Custodian(vault, Actor(record.tenant, record.mode, record.id, "custodian"))
    finally:
        vault.close()
