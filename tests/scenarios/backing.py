"""Backups that are kept by a process of its own at three real places, while callers write; and what then lies there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread

from api.config import Settings
from api.roots import open_roots
from keys import identity
from keys.keyring import Keyring
from keys.secret import Secret
from tests.scenarios import stock
from tests.scenarios.custodian import Custodian, custody
from tests.service import Service
from tests.vault.recovery import mutations
from tests.vault.recovery.folder import Folder
from tests.vault.recovery.targets.places import Place, S3Place, SftpPlace
from tests.waiting import until
from vault.audit.notes import Verifier
from vault.columns import Column
from vault.errors import JobRunning
from vault.recovery.archive import Archive
from vault.recovery.asking import Status
from vault.recovery.restored import Restored, Wanted
from vault.recovery.restoring import restore
from vault.store.database import Database
from vault.store.keysets import Keysets
from vault.store.loading import Loader
from vault.store.streams import STREAMS

OFF = Path(__file__).with_name("off")
ROOT = OFF.parents[2]
AT_ONCE = 10_000  # tokens in a reveal


@dataclass
class Backing:
    """A database, its backups at three places, and a worker that keeps them.

    Attributes:
        held: the acknowledged tokens and their values; `gone`: tokens whose deletion was acknowledged.
    """

    service: Service
    places: dict[str, Place]
    recovery: Secret
    custodian: Custodian
    verifiers: list[Verifier]
    held: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    worker: subprocess.Popen[bytes] | None = None

    def start(self, off: float = 0.0) -> None:
        """Start the worker, with a clock that is `off` by so many seconds."""
        path = os.pathsep.join([str(OFF), str(ROOT), str(ROOT / "client")])
        environment = {**self.service.environment, "PYTHONPATH": path, "STRONGROOM_TEST_CLOCK_OFF": str(off)}
        with self.service.log.open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "worker"], env=environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Kill the worker, as a power cut would."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()

    def stop(self) -> None:
        """Let the worker end."""
        assert self.worker is not None
        self.worker.terminate()
        assert self.worker.wait(60) == 0

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the worker do nothing, as it were at this moment."""
        assert self.worker is not None
        self.worker.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.worker.send_signal(signal.SIGCONT)

    def back_up(self) -> None:
        """Ask for a full backup, unless one is under way."""
        with suppress(JobRunning):
            self.custodian.vault.backups.create(self.custodian.actor, "full")

    @contextmanager
    def written(self, seed: int) -> Iterator[None]:
        """Write all the time."""
        stop, failures = Event(), list[BaseException]()

        def work() -> None:
            draw = Random(seed)
            try:
                while not stop.wait(0.1):
                    self._write(draw)
            except BaseException as error:  # noqa: BLE001 - raised below
                failures.append(error)

        thread = Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failures:
            raise failures[0]

    def _write(self, draw: Random) -> None:
        """Store a column, or delete a token of one before."""
        vault, actor = self.custodian.vault, self.custodian.actor
        if self.held and draw.random() < 0.1:
            token = draw.choice(list(self.held))
            vault.delete(actor, [token])
            self.gone.add(token)
            del self.held[token]
            return
        name, values = stock.column(draw, draw.randint(1, 40))
        people = [f"customer-{draw.randrange(100)}" if draw.random() < 0.3 else None for _ in values]
        (made,) = vault.tokenize(actor, [Column(name, values, subjects=people)])
        assert not made.errors
        self.held.update(zip(made.tokens, values, strict=True))  # type: ignore[arg-type]

    def archive(self, place: str) -> Archive:
        """Return what lies at a place, read where it lies."""
        return Archive(Folder(self.places[place].folder), self.verifiers)

    def newest(self, place: str) -> int:
        """Return the newest data number at a place."""
        files = self.places[place].folder.glob("*/data/manifests/*.txt")
        return max((int(one.stem) for one in files), default=0)

    def files(self) -> int:
        """Return how many chunks lie at all places."""
        return sum(len(list(place.folder.glob("*/*/chunks/*"))) for place in self.places.values())

    def newest_files(self, place: str) -> list[str]:
        """Return the files of which the newest backup at a place consists."""
        archive = self.archive(place)
        (installation,) = archive.installations()
        return [path for path, _ in mutations.places(archive.choose(installation))]

    def restored(self, place: str, url: str) -> Restored:
        """Restore what lies at a place into the empty database at `url`, by the root key."""
        roots, primary = open_roots(Settings(root_key_file=self.service.folder / "root.key"))
        keysets = Keysets(Database(url, time.time, time.monotonic))
        keyring = Keyring(keysets, roots, primary, time.monotonic)
        return restore(self.archive(place), Loader(url, time.time, time.monotonic), keyring, Wanted())

    def require_held(self, url: str) -> None:
        """Return if a database that was restored has all that was acknowledged, and nothing that was deleted."""
        folder = self.service.folder
        with custody(Service(folder, url, {}, self.service.keys)) as again:
            for tokens in (list(self.held), list(self.gone)):
                for first in range(0, len(tokens), AT_ONCE):
                    part = tokens[first : first + AT_ONCE]
                    found = again.vault.reveal(again.actor, part, "service", "plain").values
                    assert found == [self.held.get(token) for token in part]

    def status(self) -> Status:
        """Return how backups stand."""
        time.sleep(0.1)  # who asks again and again is not to take the time that the worker needs
        return self.custodian.vault.backups.status(self.custodian.actor)

    def is_reached(self) -> bool:
        """Whether every place answers, as far as the worker knows."""
        return all(one.state == "ok" for one in self.status().targets)

    def is_well(self) -> bool:
        """Whether every place takes backups and lacks none, and no job is under way."""
        idle = all(job.finished_at for job in self.custodian.vault.jobs(self.custodian.actor))
        return idle and all(one.state == "ok" and not one.behind for one in self.status().targets)


def require_nothing_unfinished(backing: Backing, seen: set[str] | None = None) -> None:
    """Return if all of every backup that is listed lies where it is listed.

    Args:
        seen: what was looked at before and is not again; what is now is entered.
    """
    for name in backing.places:
        archive = backing.archive(name)
        for installation in archive.installations():
            for stream in STREAMS:
                listed = archive.sizes(installation, stream)
                for number in archive.numbers(installation, stream):
                    one = f"{name} {stream} {number}"
                    if seen is None or one not in seen:
                        manifest, _ = archive.manifest(installation, stream, number)
                        assert [*filter(None, archive.check(manifest, listed=listed))] == [], one
                        if seen is not None:
                            seen.add(one)


@contextmanager
def backing(folder: Path, url: str, places: dict[str, Place], journal: float = 0.5) -> Iterator[Backing]:
    """Give a database with backups at these places, and no worker yet."""
    recovery, service = Secret.random(), Service(folder, url)
    (folder / "recipients").write_text(f"recovery {identity.recipient(recovery)}\n")
    service.settings = {
        "STRONGROOM_BACKUP_TARGETS": " ".join(place.url() for place in places.values()),
        "STRONGROOM_BACKUP_RECIPIENTS": str(folder / "recipients"), "STRONGROOM_BACKUP_JOURNAL_SECONDS": str(journal),
        "STRONGROOM_LOG_LEVEL": "error",
    }  # fmt: skip
    for place in places.values():
        service.settings |= _reached(place, folder)
    service.prepare()
    with custody(service) as custodian:
        made = Backing(service, places, recovery, custodian, [])
        made.start()
        try:
            until(lambda: made.status().shipped is not None)
            made.verifiers = [Verifier(one) for one in custodian.vault.backups.keys(custodian.actor).signers]
            yield made
        finally:
            if made.worker is not None and made.worker.poll() is None:
                made.kill()


def _reached(place: Place, folder: Path) -> dict[str, str]:
    """Return the settings that a place needs beside its URL."""
    if isinstance(place, SftpPlace):
        keys = {"SSH_KEY_FILE": place.around.ssh_key, "KNOWN_HOSTS": place.around.known_hosts}
        return {f"STRONGROOM_BACKUP_{name}": str(path) for name, path in keys.items()}
    if not isinstance(place, S3Place):
        return {}
    for name, key in zip(("access", "secret"), place.keys, strict=True):
        (folder / name).write_text(key)
        (folder / name).chmod(0o600)
    return {
        f"STRONGROOM_BACKUP_S3_{name.upper()}_KEY_FILE": str(folder / name) for name in ("access", "secret")
    }
