"""How long audit records stay in the database: old ones go into archive files; checkpoints thin out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from keys.errors import KeyProblem
from vault.audit import archiving
from vault.resources import Resources
from vault.store import auditlog
from vault.store.auditlog import Log
from vault.store.writer import Overtaken


class Retention:
    """What maintenance does about the audit; it knows how far it came in this life of the process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._thinned: dict[
            tuple[int, int], int
        ] = {}  # by tenant and log: the size up to which it was looked at

    def run_once(self, ending: Callable[[], bool]) -> int:
        """Thin checkpoints out and archive what is old enough; return how many records were archived.

        Args:
            ending: asked between two ranges; once it is true, the rest is left to the next round.
        Raises:
            OSError: the archive folder takes no file; nothing is dropped.
        """
        database, total = self._resources.database, 0
        with database.read() as connection:
            logs = auditlog.logs(connection)
        for log in logs:
            if ending():
                break
            self._thin(log)
            archiving.sweep(database, log)
            if self._resources.records.archive is not None:
                total += self._archive(log, self._resources.records.archive, ending)
        return total

    def _thin(self, log: Log) -> None:
        place = (log.tenant, log.log)
        after = self._thinned.get(place, 0)
        self._thinned[place] = archiving.thin(
            self._resources.database, log, after, self._resources.database.now()
        )

    def _archive(self, log: Log, folder: Path, ending: Callable[[], bool]) -> int:
        """Put whole ranges away; those of a tenant whose keys do not open now are left for a later round."""
        database, first = self._resources.database, log.dropped
        before = database.now() - self._resources.records.days * archiving.DAY
        with suppress(KeyProblem, Overtaken):
            while not ending() and archiving.due(database, log, before):
                keys = self._resources.keyring.keys(log.tenant)
                log = archiving.put_away(database, log, keys, folder)
        return log.dropped - first
