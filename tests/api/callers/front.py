"""A front proxy for tests: ends TLS, asks clients for certificates, and speaks to the service over its Unix socket.

It does what docs/operations.md asks of a real one: headers of the client's that only a proxy may write are dropped, and
so is every name with an underscore, which the service could not tell from one with a hyphen.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

OURS = frozenset({"client-cert", "client-cert-chain", "x-forwarded-for", "forwarded", "connection"})


@contextmanager
def fronting(upstream: Path, authority: trustme.CA, clients: trustme.CA) -> Iterator[int]:
    """Give the port of a proxy whose certificate is the authority's, and that trusts `clients` for those of clients."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = [(n, v) for n, v in self.headers.items() if n.lower() not in OURS and "_" not in n]
            kept += [("X-Forwarded-For", self.client_address[0]), ("Connection", "close")]
            if shown := self.connection.getpeercert(binary_form=True):  # type: ignore[attr-defined]
                kept.append(("Client-Cert", f":{base64.b64encode(shown).decode()}:"))
            head = "".join(f"{name}: {value}\r\n" for name, value in kept)
            with socket.socket(socket.AF_UNIX) as service:
                service.connect(str(upstream))
                service.sendall(f"{self.command} {self.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
                while piece := service.recv(65_536):
                    self.wfile.write(piece)
            self.close_connection = True

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    clients.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that was turned away
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        with suppress(OSError):
            server.shutdown()
        server.server_close()
        thread.join()
