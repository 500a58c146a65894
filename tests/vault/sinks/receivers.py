"""Real peers for sinks: programs that read syslog over TCP, TLS or a Unix socket, or that will not."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Thread


class Receiver:
    """Listens, and treats each connection as `way` says: read to the end, stay silent, drip, or hang up."""

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.way, self.tls = "read", tls
        self.received: list[bytes] = []  # what each connection that was read to its end brought
        self.kept: list[socket.socket] = []
        self.listening = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listening.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and hang up."""
        with suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.kept:
            connection.close()

    @property
    def messages(self) -> list[bytes]:
        """The messages of all frames that came."""
        return [message for data in self.received for message in frames(data)]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            if self.way == "silent":
                self.kept.append(connection)
            elif self.way == "hang up":
                connection.close()
            else:
                Thread(target=self._read, args=[connection, self.way], daemon=True).start()

    def _read(self, connection: socket.socket, way: str) -> None:
        with suppress(OSError):
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            if way == "drip":
                self._drip(connection)
                return
            with connection:
                data = b""
                while more := connection.recv(65_536):
                    data += more
                if way == "cut":  # TLS: the connection ends, and nobody signs that
                    os.close(connection.detach())
                    return
                self.received.append(data)
                if isinstance(connection, ssl.SSLSocket):
                    connection.unwrap().close()

    def _drip(self, connection: socket.socket) -> None:
        """Say a byte now and then, and never end."""
        self.kept.append(connection)
        while True:
            connection.send(b"x")
            connection.recv(1)


class Daemon:
    """A program behind a Unix socket, for datagrams or streams, that reads while it is not `stopped`."""

    def __init__(self, path: Path, kind: socket.SocketKind) -> None:
        self.kind, self.received = kind, list[bytes]()
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(str(path))
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    @property
    def messages(self) -> list[bytes]:
        if self.kind == socket.SOCK_DGRAM:
            return list(self.received)
        return [message for data in self.received for message in frames(data)]

    def _read(self) -> None:
        with suppress(OSError):
            while self.kind == socket.SOCK_DGRAM:
                data = self.socket.recv(1 << 20)
                if not data:
                    return
                self.received.append(data)
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    data = b""
                    while more := connection.recv(65_536):
                        data += more
                    self.received.append(data)


def frames(data: bytes) -> list[bytes]:
    """Return the messages of octet-counted frames (RFC 6587, section 3.4.1)."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        found.append(rest[: int(length)])
        assert len(found[-1]) == int(length)
        data = rest[int(length) :]
    return found
