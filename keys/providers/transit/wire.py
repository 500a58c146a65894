"""Connections that end when the time is up: a limit a read, as sockets have, lets a slow drip last for ever."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from keys.providers.transit.deadline import left

CONNECTIONS = 16  # kept open at most, one a thread that talks


class _Timed:
    """A socket whose every step takes no longer than what is left."""

    def recv_into(self, *arguments: object) -> int:
        self.settimeout(left())  # type: ignore[attr-defined]
        return super().recv_into(*arguments)  # type: ignore[misc,no-any-return]

    def send(self, *arguments: object) -> int:
        self.settimeout(left())  # type: ignore[attr-defined]
        return super().send(*arguments)  # type: ignore[misc,no-any-return]

    def sendall(self, *arguments: object) -> None:
        self.settimeout(left())  # type: ignore[attr-defined]
        super().sendall(*arguments)  # type: ignore[misc]


class _TimedSocket(_Timed, socket.socket):
    pass


class _TimedTls(_Timed, ssl.SSLSocket):
    pass


class _Connecting:
    """Connects within what is left, however many addresses the name has."""

    def _new_conn(self) -> socket.socket:
        return connect(self.host, self.port)  # type: ignore[attr-defined]


class _Plain(_Connecting, HTTPConnection):
    pass


class _Tls(_Connecting, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Wire(HTTPAdapter):
    """Requests over timed sockets, trusting what its context trusts and nothing besides."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: object) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, *_: object, **__: object) -> None:
        """Add no authorities to the context's: requests would trust its own bundle besides."""


def session(ca: Path | None) -> requests.Session:
    """Return a session that asks neither proxies nor .netrc, over TLS 1.2 or newer.

    Args:
        ca: PEM file of the one authority to trust; None for the system's.
    Raises:
        OSError, ssl.SSLError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    context.sslsocket_class = _TimedTls
    made = requests.Session()
    made.trust_env = False
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Wire(context))
    return made


def connect(host: str, port: int) -> socket.socket:
    """Return a connection to the first address that answers; OSError, TimeoutError within what is left."""
    addresses = _addresses(host, port)
    problem: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        found = _TimedSocket(family, kind, protocol)
        try:
            found.settimeout(left() / (len(addresses) - tried))
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.connect(address)
        except OSError as error:
            found.close()
            problem = error
            continue
        return found
    raise problem


def _addresses(host: str, port: int) -> list[Any]:
    """Look the name up by a thread that may be left behind: the resolver knows no limit of ours."""
    found: list[Any] = []
    thread = Thread(target=lambda: found.extend(_look_up(host, port)), name="resolver", daemon=True)
    thread.start()
    thread.join(left())
    return list(found)


def _look_up(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except OSError:
        return []
