"""A real service for tests: `strongroom serve` in processes of its own, with a database, a key file and API keys."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.cli import unixsocket
from api.config import Settings
from api.wiring import open_vault
from keys.providers import local
from tests.databases import make_schema

START_SECONDS = 30.0
NO_HASHER = {"STRONGROOM_HASHER_SOCKET": "/nowhere/hasher"}  # `serve` starts none; for who sends no password


@dataclass(slots=True)
class Service:
    """A service that may be started, stopped and killed; its data stay in `folder`."""

    folder: Path
    database_url: str
    settings: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the service wrote to its standard output and error."""
        return self.folder / "service.log"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "STRONGROOM_DATABASE_URL": self.database_url,
            "STRONGROOM_ROOT_KEY_FILE": str(self.folder / "root.key"),
            "STRONGROOM_PORT": str(self.port),
            **self.settings,
        }

    def prepare(self) -> None:
        """Make the key file, the schema and the tenant `shop` with its live and test keys."""
        local.create(self.folder / "root.key")
        make_schema(self.database_url)
        settings = Settings(database_url=self.database_url, root_key_file=self.folder / "root.key")
        vault = open_vault(settings)
        self.keys = {mode: text for mode, (_, text) in vault.bootstrap("shop", operator=True).items()}
        vault.close()

    def start(self) -> None:
        """Start the service and wait until it is ready."""
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "api.cli", "serve", *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the service did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code

    def kill(self) -> None:
        """Kill every process of the service at once, as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def post(self, path: str, body: object, mode: str = "live") -> tuple[int, dict[str, object]]:
        """Send one JSON request; return status and body."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.keys[mode]}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def _ready(self) -> bool:
        if "STRONGROOM_SOCKET" in self.settings:
            return unixsocket.status(Path(self.settings["STRONGROOM_SOCKET"]), "/readyz") == 200
        try:
            with urllib.request.urlopen(self.url + "/readyz", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False


@contextmanager
def running(folder: Path, database_url: str, *options: str, **settings: str) -> Iterator[Service]:
    """Give a service that is ready; options of `serve`, and settings by their environment variables."""
    service = Service(folder, database_url, settings, options=options)
    service.prepare()
    try:
        service.start()
        yield service
    finally:
        if service.process is not None:
            service.kill()


def free_port() -> int:
    """Return a port below those that the kernel draws for connections: polling one of them may meet itself."""
    while True:
        port = secrets.choice(range(20_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
