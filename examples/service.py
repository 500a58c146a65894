"""A strongroom in a folder of its own, on loopback: root key, database, first API keys and the service."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

COMMAND = Path(sys.executable).with_name("strongroom")
START_SECONDS, STOP_SECONDS = 30, 40  # a request may run 30 s before the service ends


class Service:
    """The service of one folder; `with` starts it, waits until it is ready, and ends it.

    Args:
        folder: made with mode 0700 if missing; holds root.key, strongroom.db and apikeys.json, each 0600.
        port: on 127.0.0.1.
        log: where the service writes; None for this process's own output.
    """

    def __init__(self, folder: Path, port: int, log: IO[bytes] | None = None) -> None:
        self.folder, self.url = folder, f"http://127.0.0.1:{port}"
        self._port, self._log = port, log
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("STRONGROOM_")
        }
        self._environment |= {
            "STRONGROOM_DATABASE_URL": f"sqlite:///{folder / 'strongroom.db'}",
            "STRONGROOM_ROOT_KEY_FILE": str(folder / "root.key"),
            "STRONGROOM_PORT": str(port),
        }

    def prepare(self, tenant: str) -> dict[str, str]:
        """Set the folder up the first time, and return the first API keys of `tenant` by mode: live, test."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keys = self.folder / "apikeys.json"
        self._run("db", "upgrade")
        if not keys.exists():
            self._run("bootstrap", "--tenant", tenant, "--json", "-o", str(keys))
        return {mode: made["key"] for mode, made in json.loads(keys.read_bytes()).items()}

    def __enter__(self) -> Self:
        require_free(self._port)
        self._process = subprocess.Popen(
            [COMMAND, "serve"],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def wait(self) -> int:
        """Return the service's exit code once it has ended by itself."""
        return self._process.wait()

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [COMMAND, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"strongroom {' '.join(arguments)} failed\n{done.stderr}")

    def _wait(self) -> None:
        limit = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None:
                raise SystemExit("the service ended before it was ready")
            if time.monotonic() > limit:
                raise SystemExit(f"the service was not ready after {START_SECONDS} s")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:  # no connection yet, or 503
            return False


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def require_free(port: int) -> None:
    """Raise SystemExit if something listens on `port` of 127.0.0.1: its /readyz would be taken for ours."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(
                f"port {port}: {error.strerror}\nhint: STRONGROOM_PORT={port + 1} make run"
            ) from None


def end_on_signals() -> None:
    """Make SIGTERM and a closed terminal end this process as Ctrl-C does, so that its service ends too."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
