"""The command, against a real service."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.cli import main
from tests.service import Service, running


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Command:
    """Runs `strongroom` in a folder, with settings of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, given: str | bytes = "", **more: str) -> Done:
        """Run it here, through its own `main`; what serves or works on and on, in a process."""
        stdin = given.encode() if isinstance(given, str) else given
        if arguments and arguments[0] in ("serve", "worker"):
            return self.process(*arguments, given=stdin, **more)
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        before = os.umask(0o022)
        try:
            with (
                pytest.MonkeyPatch.context() as patch,
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                contextlib.chdir(self.folder),
            ):
                patch.setattr(os, "environ", {**clean(), **self.environment, **more})
                patch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(stdin)), "utf-8"))
                with pytest.raises(SystemExit) as ended:
                    main(list(arguments))
        finally:
            os.umask(before)
        return Done(int(ended.value.code or 0), said(out), said(err))

    def process(self, *arguments: str, given: bytes = b"", **more: str) -> Done:
        """Run it in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=self.folder,
            env={**clean(), "PYTHONPATH": str(Path(__file__).parents[3]), **self.environment, **more},
            input=given,
            capture_output=True,
            check=False,
            timeout=60,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def clean() -> dict[str, str]:
    """Return this process's environment without settings of ours."""
    return {name: text for name, text in os.environ.items() if not name.startswith("STRONGROOM_")}


def said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]


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
