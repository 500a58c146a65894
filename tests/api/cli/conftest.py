"""The command in processes of its own, against a real service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.service import Service, running


@dataclass
class Command:
    """Runs `strongroom` in a folder, with the test key of a service."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str, given: str | bytes = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith("STRONGROOM_")}
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=self.folder,
            env={**clean, "PYTHONPATH": str(Path(__file__).parents[3]), **self.environment, **more},
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            check=False,
            timeout=60,
        )
        out, err = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")
        return subprocess.CompletedProcess(arguments, done.returncode, out, err)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of the command."""
    folder = tmp_path_factory.mktemp("served")
    with running(folder, f"sqlite:///{folder}/vault.db", STRONGROOM_WORKERS="1") as service:
        yield service


@pytest.fixture
def strongroom(served: Service, tmp_path: Path) -> Command:
    """The command with address and API key of `served`."""
    (tmp_path / "key.txt").write_text(served.keys["test"])
    return Command(
        tmp_path, {"STRONGROOM_URL": served.url, "STRONGROOM_API_KEY_FILE": str(tmp_path / "key.txt")}
    )


@pytest.fixture
def local(tmp_path: Path) -> Command:
    """The command with settings of a service that does not exist yet."""
    data = tmp_path / "data"
    return Command(
        tmp_path,
        {
            "STRONGROOM_DATABASE_URL": f"sqlite:///{data}/vault.db",
            "STRONGROOM_ROOT_KEY_FILE": str(data / "root.key"),
            "STRONGROOM_PORT": "0",
        },
    )
