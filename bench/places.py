"""Where a bench runs: databases, the service on one of them, and the bare peer beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bulk import Bulk
from tests.databases import new_database, postgres_server
from tests.service import Service, running

WORKERS, THREADS = 2, 8


@dataclass(slots=True)
class Place:
    """One kind of database, with a folder for files."""

    store: str
    folder: Path
    server: str | None

    @contextmanager
    def service(self, **more: str) -> Iterator[Service]:
        """Give a running service on an empty database, in processes of its own, logging as it does by default.

        Args:
            more: of its environment.
        """
        with self.database() as (url, folder):
            settings = {"STRONGROOM_WORKERS": str(WORKERS), "STRONGROOM_THREADS": str(THREADS), **more}
            with running(folder, url, **settings) as service:
                yield service

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Give the bare bulk insert on an empty database with the service's schema."""
        with self.database() as (url, _):
            bulk = Bulk(url)
            try:
                yield bulk
            finally:
                bulk.close()

    @contextmanager
    def bare(self) -> Iterator[int]:
        """Give the port of the bare Flask route, under granian with the service's workers and threads."""
        with self.database() as (url, _):
            Bulk(url).close()  # makes the tables
            port = _free_port()
            command = [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--port", str(port),
                "--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--log-level", "error", "bench.bare:app",
            ]  # fmt: skip
            environment = {**os.environ, "BENCH_DATABASE_URL": url}
            process = subprocess.Popen(command, env=environment, start_new_session=True)
            try:
                _wait(process, port)
                yield port
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)

    @contextmanager
    def database(self) -> Iterator[tuple[str, Path]]:
        """Give the URL of an empty database and a folder of its own."""
        with (
            tempfile.TemporaryDirectory(dir=self.folder) as folder,
            new_database(self.store, Path(folder), self.server) as url,
        ):
            yield url, Path(folder)


@contextmanager
def places(stores: tuple[str, ...]) -> Iterator[list[Place]]:
    """Give a place for each kind of database; a PostgreSQL server is started for it if none is named."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strongroom-bench-")))
        server = stack.enter_context(postgres_server()) if "postgresql" in stores else None
        yield [Place(store, folder, server) for store in stores]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the bare peer did not start") from None
            time.sleep(0.05)
        else:
            return
