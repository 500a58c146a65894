"""A proxy before the real Vault that answers in its place where the real one cannot be brought to: bursts, drips."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import create_default_context

from tests.vault_server import VaultServer

Act = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Proxy:
    """Acts to come, each for one request (the last one stays if `stuck`), and the paths seen."""

    url: str
    acts: list[Act] = field(default_factory=list)
    stuck: bool = False
    seen: list[str] = field(default_factory=list)

    def act(self) -> Act | None:
        if not self.acts:
            return None
        return self.acts[0] if self.stuck and len(self.acts) == 1 else self.acts.pop(0)


def status(code: int, body: bytes = b'{"errors":["canary-of-vault"]}') -> Act:
    """Answer with a status, as a load balancer in trouble does."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Location", "https://127.0.0.1:1/elsewhere")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte of the headers every 0.2 s: no single read takes long."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 20:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.2)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    """Send the headers, then a byte of the body every 0.2 s."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "200")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        time.sleep(0.2)


def cut(handler: BaseHTTPRequestHandler) -> None:
    """End the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy_to(server: VaultServer) -> Iterator[Proxy]:
    """Give a proxy on plain http."""
    context = create_default_context(cafile=str(server.ca))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.seen.append(self.path)
            act = made.act()
            if act is not None:
                self.close_connection = True
                with contextlib.suppress(OSError):  # the caller has had enough
                    act(self)
                return
            headers = {name: value for name, value in self.headers.items() if name.startswith("X-Vault")}
            request = urllib.request.Request(
                server.url + self.path, body or None, headers, method=self.command
            )
            try:
                with urllib.request.urlopen(request, timeout=10, context=context) as reply:
                    self.reply(reply.status, reply.read())
            except urllib.error.HTTPError as error:
                with error:
                    self.reply(error.code, error.read())

        def reply(self, code: int, body: bytes) -> None:
            self.send_response(code)
            if code != 204:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = forward

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    made = Proxy(f"http://127.0.0.1:{listening.server_address[1]}")
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        listening.shutdown()
        thread.join(10)
        listening.server_close()
