"""A worker beside a running service: carries out its jobs from a thread of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from api.config import Settings
from api.wiring import open_resources
from tests.service import Service
from vault.rotate import kinds


@contextmanager
def working(service: Service) -> Iterator[None]:
    """Carry out what custodians start until the end of the block."""
    root = service.folder / "root.key"
    resources = open_resources(Settings(database_url=service.database_url, root_key_file=root))
    ending = Event()

    def pause(seconds: float) -> None:
        ending.wait(seconds)

    def run() -> None:
        while not ending.is_set():
            if kinds.work(resources, "test", ending.is_set, pause) is None:
                ending.wait(0.05)

    thread = Thread(target=run, name="working")
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()
        resources.close()
