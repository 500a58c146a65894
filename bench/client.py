"""A load generator in a process of its own: keeps connections busy with requests made beforehand (one epoll loop).

`python -m bench.client PORT CONNECTIONS SECONDS FILE` sends the requests of FILE in turn, for SECONDS, or each once if
SECONDS is 0, and prints one JSON line. With a RATE behind FILE it offers so many a second, whatever the service does,
and times count from the moment when a request was due. In FILE each request is its length in decimal, a line break, its
bytes.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path

SLOWEST = 60  # seconds that a reply may take


class Line:
    """One connection: a request under way, what came of its reply."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.came, self.wanted, self.sent = b"", 0, 0.0

    def send(self, request: bytes) -> None:
        self.came, self.wanted, self.sent = b"", 0, time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what is there; return whether the reply is whole."""
        part = self.socket.recv(262_144)
        if not part:
            raise SystemExit("the service closed a connection")
        self.came += part
        if not self.wanted and (end := self.came.find(b"\r\n\r\n")) >= 0:
            self.wanted = end + 4 + _length(self.came[:end].lower())
        return 0 < self.wanted <= len(self.came)

    def good(self) -> bool:
        """Whether the reply is a success in which no item was refused."""
        return self.came[9:10] == b"2" and b'"errors":[{' not in self.came


def drive(lines: Iterable[Line], requests: Iterator[bytes], seconds: float) -> dict[str, float]:
    """Send `requests` over `lines` until they or the `seconds` are over; return counts and times."""
    selector, times, failed = selectors.DefaultSelector(), [], 0
    start = time.perf_counter()
    end = start + seconds if seconds else float("inf")
    for line in lines:
        selector.register(line.socket, selectors.EVENT_READ, line)
        _next(selector, line, requests)
    while selector.get_map() and time.perf_counter() < end:
        ready = selector.select(SLOWEST)
        if not ready:
            raise SystemExit(f"no reply within {SLOWEST} s")
        for key, _ in ready:
            line = key.data
            if line.receive():
                times.append(time.perf_counter() - line.sent)
                failed += not line.good()
                _next(selector, line, requests)
    return _summary(times, failed, time.perf_counter() - start)


def offer(lines: Iterable[Line], requests: Iterator[bytes], seconds: float, rate: float) -> dict[str, float]:
    """Send `rate` requests a second for `seconds`, each when it is due or as soon after as a line is free."""
    selector, free, times, failed = selectors.DefaultSelector(), list(lines), list[float](), 0
    for line in free:
        selector.register(line.socket, selectors.EVENT_READ, line)
    due_of: dict[Line, float] = {}
    start, sent, count = time.perf_counter(), 0, int(seconds * rate)
    while len(times) < count:
        due = start + sent / rate
        if free and sent < count and time.perf_counter() >= due:
            line = free.pop()
            line.send(next(requests))
            due_of[line], sent = due, sent + 1
            continue
        wait = max(0.0, due - time.perf_counter()) if free and sent < count else SLOWEST
        for key, _ in selector.select(wait):
            line = key.data
            if line.receive():
                times.append(time.perf_counter() - due_of[line])
                failed += not line.good()
                free.append(line)
    return _summary(times, failed, time.perf_counter() - start)


def _summary(times: list[float], failed: int, took: float) -> dict[str, float]:
    times = sorted(times)
    return {
        "requests": len(times), "failed": failed, "seconds": took,
        "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100],
    }  # fmt: skip


def read(file: Path) -> Iterator[bytes]:
    """Yield the requests of a file."""
    with file.open("rb") as stream:
        while length := stream.readline():
            yield stream.read(int(length))


def _next(selector: selectors.BaseSelector, line: Line, requests: Iterator[bytes]) -> None:
    request = next(requests, None)
    if request is None:
        selector.unregister(line.socket)
    else:
        line.send(request)


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    if not found:
        raise SystemExit("a reply without Content-Length")
    return int(rest.partition(b"\r\n")[0])


def main() -> None:
    port, connections, seconds, file, *rate = sys.argv[1:]
    requests = list(read(Path(file)))
    lines = [Line(int(port)) for _ in range(int(connections))]
    if rate:
        print(json.dumps(offer(lines, cycle(requests), float(seconds), float(rate[0]))))
        return
    print(json.dumps(drive(lines, cycle(requests) if float(seconds) else iter(requests), float(seconds))))


if __name__ == "__main__":
    main()
