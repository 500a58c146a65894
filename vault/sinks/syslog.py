"""A syslog receiver: over TCP or TLS in octet-counted frames, or the socket of this machine's own.

Syslog has no acknowledgement, so the end of the connection is one: once all is written our side is closed, and a
receiver that reads on to that end, and only such a one, closes its own. One that accepts and reads nothing is found
out even when there is nothing to say. Over TLS the receiver's close_notify counts (RFC 8446, section 6.1), which nobody
between can forge. On a Unix socket the kernel tells how much the receiver has not read.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from fcntl import ioctl
from pathlib import Path
from termios import TIOCOUTQ
from typing import Protocol

from vault.sinks import rfc5424
from vault.sinks.deadline import Deadline
from vault.sinks.protocol import Batch, SinkFailed

LOOK = 0.005  # seconds between two looks at whether a Unix socket's receiver has read everything


class Way(Protocol):
    """How messages reach a receiver."""

    name: str

    def send(self, messages: Sequence[bytes]) -> None:
        """Return once the receiver has read them all; SinkFailed if it has not in time."""


class SyslogSink:
    """A record a message, or several where it is too long for one."""

    holds_records = True

    def __init__(self, way: Way, longest: int = rfc5424.LONGEST) -> None:
        """Args: `longest` is how many bytes of a message the receiver takes."""
        self._way, self._longest = way, longest
        self._host = re.sub(r"[^!-~]", "", socket.gethostname())[:255] or "-"  # RFC 5424, section 6.2.4

    @property
    def name(self) -> str:
        """`syslog+tcp://host:port` and the like."""
        return self._way.name

    def deliver(self, batch: Batch) -> str:
        """Send the messages and wait until they were read."""
        messages = [
            message
            for entry in batch.entries
            for message in rfc5424.of_record(batch.origin, entry, self._host, self._longest)
        ]
        if batch.note:
            messages.append(rfc5424.of_checkpoint(batch, self._host))
        self._way.send(messages)
        return ""

    def probe(self) -> None:
        """Send nothing, and wait until that was read."""
        self._way.send([])

    def restart_from(self, origin: str) -> int | None:
        """Return None: a receiver does not say what it keeps."""
        return None

    def close(self) -> None:
        """Do nothing: no connection is kept."""


class Stream:
    """TCP, with TLS or without; a connection for each batch, whose end is the receipt."""

    def __init__(
        self, host: str, port: int, monotonic: Callable[[], float], tls: ssl.SSLContext | None = None
    ) -> None:
        self.name = f"syslog+{'tls' if tls else 'tcp'}://{f'[{host}]' if ':' in host else host}:{port}"
        self._place, self._monotonic, self._tls = (host, port), monotonic, tls

    def send(self, messages: Sequence[bytes]) -> None:
        """See `Way.send`."""
        deadline = Deadline(self._monotonic, code="sink_no_receipt")
        data = b"".join(map(rfc5424.framed, messages))
        try:
            with self._connect(deadline) as connection:
                _write(connection, data, deadline)
                self._receipt(connection, deadline)
        except TimeoutError:
            raise SinkFailed("sink_no_receipt", "the receiver did not read in time") from None
        except ssl.SSLCertVerificationError:
            raise SinkFailed("sink_untrusted", "the receiver's certificate is not trusted") from None
        except ssl.SSLError:
            raise SinkFailed("sink_no_receipt", "TLS with the receiver broke off") from None
        except OSError as error:
            code = "sink_unreachable" if error.errno != errno.ECONNRESET else "sink_no_receipt"
            raise SinkFailed(code, "the receiver cannot be reached, or broke off") from None

    def _connect(self, deadline: Deadline) -> socket.socket:
        try:
            connection = socket.create_connection(self._place, deadline.left())
        except TimeoutError:
            raise SinkFailed("sink_unreachable", "the receiver does not answer") from None
        if self._tls is None:
            return connection
        try:
            connection.settimeout(deadline.left())
            return self._tls.wrap_socket(connection, server_hostname=self._place[0])
        except BaseException:
            connection.close()
            raise

    @staticmethod
    def _receipt(connection: socket.socket, deadline: Deadline) -> None:
        """Close our side, and read on until the receiver has closed its own, having taken all that was sent.

        One that closes without reading resets the connection, or leaves bytes that its kernel never acknowledges.
        """
        if isinstance(connection, ssl.SSLSocket):
            connection.settimeout(deadline.left())
            with connection.unwrap() as plain:
                _acknowledged(plain, deadline)
            return
        connection.setblocking(False)
        try:
            early = connection.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            early = False
        if early:
            raise SinkFailed("sink_no_receipt", "the receiver closed before it was told all")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(deadline.left())
        while connection.recv(4_096):
            connection.settimeout(deadline.left())
        _acknowledged(connection, deadline)


class Local:
    """The socket of this machine's own syslog, such as /dev/log: datagrams, or a stream where it is one."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self.name = f"syslog+unix:{path}"
        self._path, self._monotonic = path, monotonic

    def send(self, messages: Sequence[bytes]) -> None:
        """See `Way.send`."""
        deadline = Deadline(self._monotonic, code="sink_no_receipt")
        try:
            with self._connect(deadline) as connection:
                stream = connection.type == socket.SOCK_STREAM
                for message in messages:
                    data = rfc5424.framed(message) if stream else message
                    _write(connection, data, deadline)
                while _unread(connection):
                    time.sleep(min(LOOK, deadline.left()))
        except TimeoutError:
            raise SinkFailed("sink_no_receipt", "the receiver did not read in time") from None
        except OSError as error:
            too_long = error.errno == errno.EMSGSIZE
            code = "sink_too_long" if too_long else "sink_unreachable"
            raise SinkFailed(code, "the socket does not take it") from None

    def _connect(self, deadline: Deadline) -> socket.socket:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            connection = socket.socket(socket.AF_UNIX, kind)
            try:
                connection.settimeout(deadline.left())
                connection.connect(str(self._path))
            except OSError as error:
                connection.close()
                if error.errno != errno.EPROTOTYPE:  # the socket is of the other kind, unix(7)
                    raise
            else:
                return connection
        raise OSError(errno.EPROTOTYPE, "")


def _write(connection: socket.socket, data: bytes, deadline: Deadline) -> None:
    rest = memoryview(data)
    while rest:
        connection.settimeout(deadline.left())
        rest = rest[connection.send(rest) :]


def _acknowledged(connection: socket.socket, deadline: Deadline) -> None:
    """Wait until the other side's kernel has acknowledged every byte; OSError once it resets the connection."""
    while _unread(connection):
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "")
        time.sleep(min(LOOK, deadline.left()))


def _unread(connection: socket.socket) -> int:
    """Return how much of what was sent is still ours, 0 for nothing (unix(7): unread; tcp(7): not acknowledged)."""
    (count,) = struct.unpack("i", ioctl(connection, TIOCOUTQ, b"\0\0\0\0"))
    return int(count)
