"""A service whose backups go to a folder, for a bench: with as many rows as are wanted, and what opens them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.config import Settings
from api.roots import open_roots
from api.targets import open_targets
from api.wiring import open_resources
from bench import load, values
from bench.places import Place
from keys import identity
from keys.keyring import Keyring
from keys.secret import Secret
from tests.service import NO_HASHER, Service
from vault.audit.notes import Verifier
from vault.backup import envelope, layout
from vault.recovery import ownkeys, restoring
from vault.recovery.archive import Archive
from vault.recovery.choosing import Choice
from vault.recovery.health import Health
from vault.recovery.holding import Holding
from vault.recovery.lanes import Lanes
from vault.recovery.line import of_installation
from vault.recovery.restored import Wanted
from vault.resources import Resources
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader

FILL = 10_000  # values a column
NEVER, ALWAYS = 8_760.0, 1e-6  # hours after which a full backup is due


@dataclass(slots=True)
class Backed:
    """A service, the folder that its backups go to, and the custodians' identity."""

    service: Service
    folder: Path
    recipients: Path
    recovery: Secret

    def settings(self, hours: float = NEVER) -> Settings:
        """Return the service's settings, with full backups due after so many hours."""
        return Settings(
            database_url=self.service.database_url, root_key_file=self.service.folder / "root.key",
            backup_targets=f"file:{self.folder}", backup_recipients=self.recipients,
            backup_full_hours=hours, backup_keyring_hours=hours,
        )  # fmt: skip

    @contextmanager
    def resources(self, hours: float = NEVER) -> Iterator[Resources]:
        """Give what this process works with on the service's database."""
        opened = open_resources(self.settings(hours))
        try:
            yield opened
        finally:
            opened.database.close()

    @contextmanager
    def lanes(self) -> Iterator[Lanes]:
        """Give the keeper's own work, to which a full backup is always due; the service has been stopped."""
        with self.resources(ALWAYS) as resources:
            holding = Holding(resources, "bench")
            health = Health(resources, resources.backups.targets, lambda: None)
            lanes = Lanes(
                resources, lambda: open_targets(self.settings()), holding, health, "bench", lambda: False, _raise
            )  # fmt: skip
            try:
                lanes.tend()
                yield lanes
            finally:
                lanes.close()
                holding.release()

    def verifiers(self) -> list[Verifier]:
        """Return the keys that sign the service's backups."""
        with self.resources() as resources:
            installation, _ = of_installation(resources)
            return ownkeys.verifiers(resources, installation)

    def archive(self) -> Archive:
        """Return what reads the folder."""
        (target,) = open_targets(self.settings())
        return Archive(target, self.verifiers())

    def newest(self) -> Choice:
        """Return the newest backup."""
        archive = self.archive()
        (installation,) = archive.installations()
        return archive.choose(installation)

    def restored(self, url: str) -> float:
        """Restore the newest backup into the empty database at `url`; return the seconds that it takes."""
        roots, primary = open_roots(self.settings())
        keysets = Keysets(Database(url, time.time, time.monotonic))
        archive, loader = self.archive(), Loader(url, time.time, time.monotonic)
        start = time.perf_counter()
        done = restoring.restore(archive, loader, Keyring(keysets, roots, primary, time.monotonic), Wanted())
        took = time.perf_counter() - start
        if not done.whole:
            raise SystemExit("the restore has lost something")
        return took

    def plain(self, file: Path) -> int:
        """Write what the chunks of the newest backup hold, one behind the other; return the bytes."""
        choice = self.newest()
        with file.open("wb") as out:
            for manifest in (*choice.keyring, *choice.data):
                for chunk in manifest.chunks:
                    path = layout.chunk(manifest.installation, manifest.stream, chunk.digest)
                    out.write(envelope.opened((self.folder / path).read_bytes(), [self.recovery]))
        return file.stat().st_size


@contextmanager
def backed(place: Place, **more: str) -> Iterator[Backed]:
    """Give a running service on an empty database, whose backups go to a folder.

    Args:
        more: of its environment.
    """
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    try:
        recovery, target, recipients = Secret.random(), folder / "target", folder / "recipients"
        target.mkdir()
        recipients.write_text(f"recovery {identity.recipient(recovery)}\n")
        settings = {
            "STRONGROOM_BACKUP_TARGETS": f"file:{target}", "STRONGROOM_BACKUP_RECIPIENTS": str(recipients),
            **NO_HASHER, **more,
        }  # fmt: skip
        with place.service(**settings) as service:
            yield Backed(service, target, recipients, recovery)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(service: Service, rows: int) -> None:
    """Store so many rows, fresh tokens of cards."""
    columns = values.parts(values.cards(4 * 10**8, rows), FILL)
    asks = [
        load.post("/v1/tokens/column", {"field": "bank_card", "values": one}, service.keys["live"])
        for one in columns
    ]
    if load.once(service.port, asks, 2).failed:
        raise SystemExit("the table could not be filled")


def _raise(error: Exception) -> None:
    raise error
