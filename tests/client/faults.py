"""A server that fails as told: each request takes the next act of a script, the last act again and again."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Act = Callable[[socket.socket, Request], bool]  # True: keep the connection


@dataclass
class Faults:
    """Requests seen, connections taken, and the acts to come."""

    url: str = ""
    acts: list[Act] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    connections: int = 0

    def play(self, *acts: Act) -> None:
        self.acts = list(acts)

    def next_act(self) -> Act:
        return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]


def answer(
    body: object = b"",
    status: int = 200,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Act:
    """Answer with bytes, or with JSON; a callable makes it of the request."""

    def act(peer: socket.socket, request: Request) -> bool:
        made = body(request) if callable(body) else body
        data = made if isinstance(made, bytes) else json.dumps(made).encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        length = f"Content-Length: {len(data)}\r\n"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\n{length}{more}\r\n"
        peer.sendall(head.encode() + data)
        return True

    return act


def problem(status: int, code: str, headers: dict[str, str] | None = None, **members: object) -> Act:
    body = {
        "type": f"urn:strongroom:problem:{code}",
        "title": code,
        "status": status,
        "code": code,
        **members,
    }
    return answer(body, status, "application/problem+json", headers)


def tokens(request: Request) -> dict[str, object]:
    """Tokens that name what they stand for, so that a test sees the order."""
    asked = request.json
    items = asked.get("values") or [item["value"] for item in asked["items"]]
    return {"tokens": [f"tok:{item}" for item in items], "errors": []}


def raw(data: bytes) -> Act:
    """Send `data` and hang up."""

    def act(peer: socket.socket, _: Request) -> bool:
        peer.sendall(data)
        return False

    return act


def hang_up(_: socket.socket, __: Request) -> bool:
    return False


def silent(seconds: float) -> Act:
    def act(_: socket.socket, __: Request) -> bool:
        time.sleep(seconds)
        return False

    return act


def drip(seconds: float) -> Act:
    """Send one byte of a long body now and then: each is in time, the whole never is."""

    def act(peer: socket.socket, _: Request) -> bool:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            peer.sendall(b" ")
            time.sleep(0.02)
        return False

    return act


@contextmanager
def serve(context: ssl.SSLContext | None = None) -> Iterator[Faults]:
    faults = Faults(acts=[hang_up])
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if context else "http"
    faults.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=_accept, args=(listener, faults, context), daemon=True)
    thread.start()
    try:
        yield faults
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _accept(listener: socket.socket, faults: Faults, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        faults.connections += 1
        threading.Thread(target=_talk, args=(peer, faults, context), daemon=True).start()


def _talk(peer: socket.socket, faults: Faults, context: ssl.SSLContext | None) -> None:
    try:
        talk = context.wrap_socket(peer, server_side=True) if context else peer
        with talk, talk.makefile("rb") as stream:
            while (request := _request(stream)) is not None:
                faults.seen.append(request)
                if not faults.next_act()(talk, request):
                    return
    except OSError:
        return


def _request(stream: Any) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (header := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line[0], line[1], headers, stream.read(int(headers.get("content-length", 0))))
