"""A real S3 service over a folder, for tests: the versitygw on PATH, or one built once for this user."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.service import free_port
from tests.waiting import until

VERSION = "1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@v{VERSION}"
GET_GO = "install Go 1.21 or newer (it fetches the toolchain that versitygw needs), or a versitygw command"
REGION = "us-east-1"


class NoGateway(Exception):
    """There is no `versitygw`, and it cannot be built here; says how to get it."""


@dataclass(slots=True)
class Gateway:
    """A gateway whose buckets are the folders in `folder`; it may be stopped and started again."""

    command: Path
    folder: Path
    port: int = field(default_factory=free_port)
    access: str = field(default_factory=lambda: secrets.token_hex(8))
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {**os.environ, "ROOT_ACCESS_KEY": self.access, "ROOT_SECRET_KEY": self.secret}
        self.process = subprocess.Popen(
            [self.command, "--region", REGION, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", self.folder],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._listens)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "versitygw ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """Give a gateway that runs; NoGateway if there is none."""
    made = Gateway(gateway_command(), folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def gateway_command() -> Path:
    """Return the command; build it if need be, which takes minutes the first time."""
    found = shutil.which("versitygw")
    if found is not None:
        return Path(found)
    built = Path(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "strongroom", f"versitygw-{VERSION}"
    )
    built /= "versitygw"
    if built.exists():
        return built
    built.parent.mkdir(parents=True, exist_ok=True)
    with (built.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others wait here for the one that builds
        if not built.exists():
            _build(built)
    return built


def _build(target: Path) -> None:
    """Build in a folder of its own and rename, so that nobody runs half a command."""
    if shutil.which("go") is None:
        raise NoGateway(GET_GO)
    print(f"building versitygw {VERSION}, minutes the first time", file=sys.stderr)  # noqa: T201
    draft, log = target.parent / secrets.token_hex(4), target.with_name("build.log")
    environment = {"GOTOOLCHAIN": "auto", **os.environ, "GOBIN": str(draft)}
    with log.open("wb") as output:
        done = subprocess.run(
            ["go", "install", "-ldflags", "-s -w", MODULE],
            env=environment,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise NoGateway(f"{GET_GO}; the build failed, {log} says why")
    (draft / "versitygw").rename(target)
    draft.rmdir()
