"""`kill -9` while backups are made: nothing unfinished is listed, and what was acknowledged comes to the targets."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from api.config import Settings
from api.wiring import open_resources
from keys import identity
from keys.secret import Secret
from tests.scenarios.campaign import rounds
from tests.service import Service
from tests.vault.recovery.lying import Lying
from tests.waiting import until
from vault import tokens
from vault.audit.notes import Verifier
from vault.backup import layout
from vault.columns import Actor, Column, Spec
from vault.recovery import ownkeys
from vault.service import Vault
from vault.store import catalogue
from vault.store.streams import STREAMS

SOON = {
    "STRONGROOM_BACKUP_JOURNAL_SECONDS": "0.2", "STRONGROOM_BACKUP_INCREMENTAL_HOURS": "0.0002",
    "STRONGROOM_BACKUP_FULL_HOURS": "0.0003", "STRONGROOM_BACKUP_KEYRING_HOURS": "0.0003",
}  # fmt: skip


class Scene(Lying):
    """A vault whose backups a worker of its own makes, and the folders that they go to."""

    def __init__(self, folder: Path) -> None:
        self.recovery = Secret.random()
        self.folders = [folder / f"target{number}" for number in range(3)]
        for one in self.folders:
            one.mkdir()
        (folder / "recipients").write_text(f"recovery {identity.recipient(self.recovery)}\n")
        settings = {
            "STRONGROOM_BACKUP_TARGETS": " ".join(f"file:{one}" for one in self.folders),
            "STRONGROOM_BACKUP_RECIPIENTS": str(folder / "recipients"),
            **SOON,
        }  # fmt: skip
        self.service = Service(folder, f"sqlite:///{folder}/vault.db", settings)
        self.service.prepare()
        self.resources = open_resources(
            Settings(database_url=self.service.database_url, root_key_file=folder / "root.key")
        )
        self.vault = Vault(self.resources)
        tenant = self.vault.find_tenant("shop", "live")
        assert tenant is not None
        self.actor = Actor(tenant, "live", "key_0", "request")
        self.acknowledged: list[str] = []
        self.worker: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the worker."""
        with self.service.log.open("ab") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "worker"],
                env=self.service.environment,
                stdout=log,
                stderr=log,
            )

    def end(self, number: int) -> int:
        """Send the worker a signal; return its exit code."""
        assert self.worker is not None
        self.worker.send_signal(number)
        code, self.worker = self.worker.wait(60), None
        return code

    def verifiers(self, installation: str) -> list[Verifier]:
        return ownkeys.verifiers(self.resources, installation)

    def store(self, count: int) -> None:
        """Store values, one a commit."""
        for _ in range(count):
            (made,) = self.vault.tokenize(self.actor, [Column("phone", ["13800138000"], Spec())])
            self.acknowledged += [token for token in made.tokens if token]

    def holds(self, folder: Path) -> bool:
        """Whether all that was acknowledged lies in a folder."""
        try:
            rows = self.loaded(folder, "data")["token"]
        except (FileNotFoundError, KeyError, ValueError):
            return False  # none is there yet, or one that is no longer kept goes just now
        there = {(row[0], row[2]) for row in rows.values()}
        wanted = tokens.parse_opaque("live", self.acknowledged)
        return wanted is not None and set(wanted) <= there

    def newest(self) -> int:
        """Return the number of the newest backup."""
        with self.resources.database.read() as connection:
            found = catalogue.newest(connection, "data")
        return 0 if found is None else found.number

    def require_whole(self) -> None:
        """All that is listed anywhere is there to the byte, and so is what it builds on."""
        for folder in self.folders:
            for stream in STREAMS:
                listed = {one.number: one for one in self.manifests(folder, stream)}
                for manifest in listed.values():
                    assert manifest.base is None or manifest.base.number in listed
                    for chunk in manifest.chunks:
                        path = folder / layout.chunk(manifest.installation, stream, chunk.digest)
                        assert sha256(path.read_bytes()).hexdigest() == chunk.digest


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    if made.worker is not None:
        made.end(signal.SIGKILL)
    made.vault.close()


def test_killed_again_and_again_it_lists_nothing_unfinished_and_loses_nothing(scene: Scene) -> None:
    for number in range(rounds(1, 40)):
        draw = Random(number)
        least = scene.newest() + 1 + draw.randrange(2)
        scene.start()
        scene.store(5)
        until(lambda least=least: scene.newest() >= least)  # type: ignore[misc]
        scene.store(draw.randrange(5))
        scene.end(signal.SIGKILL)
        scene.require_whole()
    scene.start()
    scene.store(5)
    for folder in scene.folders:
        until(lambda folder=folder: scene.holds(folder))  # type: ignore[misc]
    scene.store(20)
    assert scene.end(signal.SIGTERM) == 0
    assert all(scene.holds(folder) for folder in scene.folders), "what was stored last was not shipped"
    scene.require_whole()
    with scene.resources.database.read() as connection:
        assert catalogue.backups(connection, states=["running"]) == []
