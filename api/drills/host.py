"""What a drill host drills with, put together: targets, keys, the roots or the recovery key, the scratch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from api import processes
from api.config import Settings
from api.drills import place
from api.drills.hostkeys import HostKeys
from api.logs import RequestLog
from api.roots import open_roots
from api.wiring import open_hasher, open_passwords
from keys.keyring import Keyring
from keys.secret import Secret
from keys.wrapping import AeadRoot
from vault.audit.notes import Verifier
from vault.recovery import drilled, drilling
from vault.recovery.archive import Archive
from vault.recovery.checks.live import Live
from vault.recovery.drilled import Taken
from vault.recovery.drilling import Asked
from vault.recovery.reports import Report
from vault.recovery.restored import Means
from vault.recovery.targets.protocol import Target
from vault.recovery.watching import Progress
from vault.resources import Resources
from vault.sealer import Sealer
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader

DISTRIBUTION = "strongroom"
THROW_AWAY = "drill"  # the root that wraps keysets out of shares, in the memory of this process alone


@dataclass(frozen=True, slots=True)
class Wishes:
    """How drills are to be made.

    Attributes:
        installation: whose backups; None for that with the newest one at the target.
        scratch: URL of an empty PostgreSQL database; None for a new SQLite file, in a folder of `home`.
        sample: of 1,000 values, how many are opened.
        oldest: seconds that the newest state may be old.
    """

    installation: str | None = None
    scratch: str | None = None
    home: Path | None = None
    sample: int = 1_000
    oldest: float = 7_200.0


@dataclass(frozen=True, slots=True, repr=False)
class Host:
    """A drill host.

    Attributes:
        trust: keys whose manifests are believed.
        recovery: the recovery key, which custodians' shares make; None where the roots of the settings open keysets.
        lives: the live service; None where it is not to be asked.
        told: hears the name of each check; `progress`: of a phase of the restore how many rows of how many.
    """

    settings: Settings
    keys: HostKeys
    trust: Sequence[Verifier]
    wishes: Wishes = field(default_factory=Wishes)
    recovery: Secret | None = None
    lives: Sequence[Live] | None = None
    told: Callable[[str], None] = lambda _: None
    progress: Progress = lambda _phase, _done, _total: None

    def drill(self, target: Target) -> Report:
        """Drill one target, and leave nothing of it behind."""
        archive, wishes = Archive(target, self.trust), self.wishes
        roots, log = _Roots(self.settings, self.recovery), RequestLog(self.settings.log_level)
        needed = drilled.size(archive, wishes.installation)
        with place.scratch(wishes.scratch, wishes.home, needed) as url:
            asked = Asked(
                target.name, lambda: self._restore(archive, url, roots), lambda: self._open(url, roots), _seal,
                time.time, time.monotonic, time.sleep, lambda error: log.failure(error, "drill"), self.told,
                wishes.oldest, wishes.sample, self.keys.canary(), self.lives, version(DISTRIBUTION),
                "postgresql" if wishes.scratch else "sqlite", "shares" if self.recovery else "root",
            )  # fmt: skip
            return drilling.drill(asked)

    def _restore(self, archive: Archive, url: str, roots: _Roots) -> Taken:
        """Restore into the scratch."""
        database = Database(url, time.time, time.monotonic)
        with closing(database), roots.keyring(database) as keyring:
            means = Means((self.keys.identity(),), self.recovery)
            loader = Loader(url, time.time, time.monotonic)
            return drilled.take(archive, loader, keyring, means, self.wishes.installation, self.progress)

    def _open(self, url: str, roots: _Roots) -> Resources:
        """Open the scratch; closing it closes its roots."""
        database = Database(url, time.time, time.monotonic)
        return Resources(
            database, roots.open(database), time.monotonic, processes.gone, open_passwords(self.settings),
            open_hasher(self.settings),
        )  # fmt: skip


class _Roots:
    """The roots that open restored keysets, opened anew each time."""

    def __init__(self, settings: Settings, recovery: Secret | None) -> None:
        self._settings = settings
        self._own = None if recovery is None else AeadRoot(THROW_AWAY, Secret.random())

    @contextmanager
    def keyring(self, database: Database) -> Iterator[Keyring]:
        """Give a keyring of a database, and close its roots after."""
        keyring = self.open(database)
        try:
            yield keyring
        finally:
            keyring.forget()
            for root in keyring.roots.values():
                root.close()

    def open(self, database: Database) -> Keyring:
        """Return a keyring of a database; KeyProblem if a root of the settings cannot be had."""
        if self._own is not None:
            roots, primary = {self._own.name: self._own}, self._own.name
            return Keyring(Keysets(database), roots, primary, time.monotonic)
        listed, first = open_roots(self._settings)
        return Keyring(Keysets(database), listed, first, time.monotonic, self._settings.lease_seconds)


def _seal(resources: Resources) -> None:
    """Seal what waits in the inbox, as the worker does."""

    def failed(error: Exception) -> None:
        raise error

    Sealer(resources, processes.name(), lambda: False, time.sleep, failed).run_once()
