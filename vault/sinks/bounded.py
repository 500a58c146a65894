"""A sink whose every call ends in time, whatever the disk, the name service or the peer below it does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeVar

from vault.sinks.protocol import Batch, Sink, SinkFailed

T = TypeVar("T")

LIMIT = 1.1  # seconds; a sink itself gives up before, and then says better why


class Bounded:
    """Lets a sink work in a thread beside, and waits no longer than LIMIT for it.

    A call that is still stuck keeps the next ones out, so that the sink itself is never used by two at once.
    """

    def __init__(self, sink: Sink, limit: float = LIMIT) -> None:
        self._sink, self._limit = sink, limit
        self._busy: Event | None = None

    @property
    def name(self) -> str:
        """The sink's own."""
        return self._sink.name

    @property
    def holds_records(self) -> bool:
        """The sink's own."""
        return self._sink.holds_records

    def deliver(self, batch: Batch) -> str:
        """Deliver; SinkFailed, `sink_slow`, if it takes too long."""
        return self._run(lambda: self._sink.deliver(batch))

    def probe(self) -> None:
        """Probe; SinkFailed, `sink_slow`, if it takes too long."""
        self._run(self._sink.probe)

    def restart_from(self, origin: str) -> int | None:
        """Return what the sink says; None while it is stuck."""
        return None if self._stuck() else self._sink.restart_from(origin)

    def close(self) -> None:
        """Close the sink; what is stuck in it ends if it can."""
        self._sink.close()

    def _stuck(self) -> bool:
        return self._busy is not None and not self._busy.is_set()

    def _run(self, call: Callable[[], T]) -> T:
        if self._stuck():
            raise SinkFailed("sink_slow", "an earlier call has not ended yet")
        done, results, errors = Event(), list[T](), list[BaseException]()

        def work() -> None:
            try:
                results.append(call())
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                errors.append(error)
            finally:
                done.set()

        self._busy = done
        Thread(target=work, name="sink", daemon=True).start()
        if not done.wait(self._limit):
            raise SinkFailed("sink_slow", "it did not end in time")
        if errors:
            raise errors[0]
        return results[0]
