"""One HTTP POST that ends in time, whatever the other side does: no redirects, no proxies, a short reply."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from socket import SHUT_RDWR
from threading import Timer
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

MOST = 65_536  # bytes of a reply that are read


class Untrusted(Exception):
    """The other side's certificate is not trusted."""


class Reply(NamedTuple):
    """Status and body, of which there is no more than MOST."""

    status: int
    body: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], seconds: float, trust: ssl.SSLContext | None = None
) -> Reply:
    """Post `body` to an http or https address.

    Raises:
        OSError: nobody answers, or not in time.
        Untrusted: the certificate is not good for the address.
    """
    parsed = urlsplit(url)
    connection = _connection(parsed, seconds, trust)
    over = Timer(
        seconds, _cut, [connection]
    )  # a peer that drips is never too slow for a time-out of one read
    over.daemon = True
    over.start()
    try:
        target = parsed.path or "/"
        connection.request(
            "POST", f"{target}?{parsed.query}" if parsed.query else target, body, dict(headers)
        )
        with connection.getresponse() as reply:
            return Reply(reply.status, reply.read(MOST))
    except ssl.SSLCertVerificationError:
        raise Untrusted from None
    except (HTTPException, ValueError):
        raise ConnectionError("the reply is not HTTP, or was cut off") from None
    finally:
        over.cancel()
        connection.close()


def is_fit(url: str) -> bool:
    """Whether an address may be posted to: https, or http of this machine alone; no user, password or fragment."""
    try:
        parsed = urlsplit(url)
        host = parsed.hostname or ""
        _ = parsed.port
    except ValueError:
        return False
    if not host or "@" in parsed.netloc or parsed.fragment or not url.isascii() or not url.isprintable():
        return False
    return parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _connection(parsed: SplitResult, seconds: float, trust: ssl.SSLContext | None) -> HTTPConnection:
    host = parsed.hostname or ""
    if parsed.scheme == "http":
        return HTTPConnection(host, parsed.port, timeout=seconds)
    context = trust or ssl.create_default_context()
    return HTTPSConnection(host, parsed.port, timeout=seconds, context=context)


def _cut(connection: HTTPConnection) -> None:
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(SHUT_RDWR)
