"""The command on a machine that has nothing, and a recovery key of known shares."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys import identity, shares
from keys.secret import Secret
from tests.api.cli.conftest import Command
from vault.audit.notes import Signer, Verifier
from vault.recovery import record
from vault.recovery.record import Record

KEY = Secret(bytes(range(32)))
TRUSTED = [Signer("strongroom/00000000000000aa/backups", bytes([n]) * 32).vkey for n in (1, 2)]


@dataclass(frozen=True)
class Known:
    """A key's shares, and what is public of it."""

    shares: list[Secret]
    record: Record

    def lines(self, *numbers: int) -> str:
        """Return shares by their numbers, a line each."""
        return "".join(f"{self.shares[number - 1].expose().decode()}\n" for number in numbers)


@pytest.fixture
def offline(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="session")
def known() -> Known:
    words = shares.split(KEY, 3, 5)
    digests = tuple(map(shares.share_digest, words))
    made = Record(1_795_669_317, 3, identity.recipient(KEY), digests, tuple(map(Verifier, TRUSTED)))
    return Known(words, made)


@pytest.fixture
def recorded(offline: Command, known: Known) -> Command:
    """The command beside the record of the known key, recovery.txt."""
    offline.write("recovery.txt", record.write(known.record))
    return offline


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    path = tmp_path / "trusted.txt"
    path.write_text("".join(f"manifest-key {vkey}\n" for vkey in TRUSTED))
    return path


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """Return a new folder in memory."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)
