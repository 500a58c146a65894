"""One HTTP exchange over a kept pool of connections; failures come back as data, never as exceptions.

urllib3's own name the path and hold the request. They end here, and nothing is raised while one is
handled, so that no exception chain holds a request.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3 import Timeout as PoolTimeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from strongroom_client.errors import StrongroomError, TimedOut, Unreachable, Untrusted
from strongroom_client.settings import Address

_PART = 1 << 18  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Timeout:
    """Time-outs in seconds: to connect, and from the request's last byte to the reply's last.

    The server gives up after 30 seconds by default, so a longer read time-out lets it say so.
    """

    connect: float = 5.0
    read: float = 60.0


@dataclass(frozen=True, slots=True, repr=False)
class Ask:
    """A request: body in JSON or None."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """A reply that was read to its end; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds of Retry-After, None if it is missing or a date."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdecimal() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class Broken:
    """No reply: why, and whether the server can have seen the request."""

    kind: type[StrongroomError]
    text: str
    unsent: bool
    hint: str | None = None
    again: bool = True  # a retry may help


class _NotWritten(Exception):
    """What took the pieces of a reply failed: its cause, which is none of the connection's."""


class Transport:
    """A pool of connections to one address; thread-safe, and safe across fork."""

    def __init__(
        self, address: Address, context: ssl.SSLContext | None, timeout: Timeout, connections: int
    ) -> None:
        self.address, self._context, self._timeout, self._connections = address, context, timeout, connections
        self._pid, self._pool = os.getpid(), self._open()

    def exchange(self, ask: Ask, write: Callable[[bytes], object] | None = None) -> Reply | Broken:
        """Send `ask` once and read the whole reply; redirects, which carry values off, are not followed.

        Args:
            write: takes the body of a success, piece by piece, and is given all the time that it takes.
        """
        response = answer = failed = None
        try:
            response = self._mine().urlopen(
                ask.method,
                self.address.path + ask.path,
                body=ask.body,
                headers=ask.headers,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=PoolTimeout(connect=self._timeout.connect, read=self._timeout.read),
            )
            answer = self._read(response) if write is None else self._pass_on(response, write)
        except _NotWritten as error:
            failed = error.__cause__
        except (HTTPError, OSError) as error:
            return self._broken(error)
        finally:
            if response is not None and not isinstance(answer, Reply):
                response.close()  # half read, also after Ctrl-C: the next request must not find the rest
        if answer is None:
            raise failed or AssertionError
        return answer

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()

    def _read(self, response: BaseHTTPResponse) -> Reply | Broken:
        deadline, parts = time.monotonic() + self._timeout.read, []
        while part := response.read1(_PART):
            parts.append(part)
            if (
                time.monotonic() > deadline
            ):  # a server that drips resets the socket's own time-out with each byte
                return self._late()
        return _reply(response, b"".join(parts))

    def _pass_on(self, response: BaseHTTPResponse, write: Callable[[bytes], object]) -> Reply | Broken:
        """Hand a success on piece by piece; what is none is read."""
        if response.status >= 300:
            return self._read(response)
        while part := response.read1(_PART):
            try:
                write(part)
            except Exception as error:
                raise _NotWritten from error
        return _reply(response, b"")

    def _late(self) -> Broken:
        text = f"{self.address} did not answer within {self._timeout.read:g} s"
        return Broken(TimedOut, text, unsent=False, again=False)

    def _broken(self, error: Exception) -> Broken:
        at = self.address
        match error:
            case NameResolutionError():
                return Broken(Unreachable, f"cannot reach {at}: the name is unknown", unsent=True)
            case NewConnectionError():
                return Broken(Unreachable, f"cannot reach {at}: {_reason(error)}", unsent=True)
            case ConnectTimeoutError():
                return Broken(TimedOut, f"cannot reach {at} within {self._timeout.connect:g} s", unsent=True)
            case ReadTimeoutError():
                return self._late()
            case SSLError():
                return _untrusted(at, error)
            case _:
                return Broken(
                    Unreachable, f"the connection to {at} broke before the reply was whole", unsent=False
                )

    def _mine(self) -> HTTPConnectionPool:
        """Return this process's pool: a connection shared after fork would give one the other's replies."""
        if self._pid != os.getpid():  # no lock: one held while forking would stay held in the child
            self._pool, self._pid = self._open(), os.getpid()
        return self._pool

    def _open(self) -> HTTPConnectionPool:
        host, port = self.address.host, self.address.port
        if self.address.scheme == "https":
            return HTTPSConnectionPool(host, port, maxsize=self._connections, ssl_context=self._context)
        return HTTPConnectionPool(host, port, maxsize=self._connections)


def _reply(response: BaseHTTPResponse, body: bytes) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, body)


def _reason(error: BaseException) -> str:
    cause = error.__cause__
    return cause.strerror if isinstance(cause, OSError) and cause.strerror else "no connection"


def _untrusted(at: Address, error: SSLError) -> Broken:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"{at} does not prove who it is: {cause.verify_message}"
        hint = "give the file of its certificate authority as ca= or STRONGROOM_CA"
        return Broken(Untrusted, text, unsent=True, hint=hint, again=False)
    if isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Broken(Unreachable, f"the connection to {at} broke before the reply was whole", unsent=False)
    return Broken(
        Untrusted, f"no TLS connection to {at}", unsent=False, hint="does it speak https?", again=False
    )
