"""The hasher's end of the line: takes connections, and lets one pool answer what comes on all of them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from api.hashing import messages, wire
from api.hashing.messages import Answer, Ask
from api.hashing.wire import Broken
from vault.errors import VaultError
from vault.passwords.pool import Pool

MOST_CONNECTIONS = 1_024  # each has a thread
LOOK = 0.1  # seconds between two looks at whether to end
STALL_SECONDS = 10.0  # that the rest of a message may take, or an answer until it is read
GRACE = 10.0  # seconds for what is under way when it ends


class Server:
    """One listening socket, and a thread a connection."""

    def __init__(self, listener: socket.socket, pool: Pool, failed: Callable[[Exception], None]) -> None:
        """Take nothing yet.

        Args:
            listener: a listening Unix socket.
            failed: hears of what nobody expected.
        """
        self._listener, self._pool, self._failed = listener, pool, failed
        self._changed = threading.Condition()
        self._open: dict[socket.socket, bool] = {}  # whether a request is under way on it
        self._ending = False

    def serve(self, ending: Callable[[], bool]) -> None:
        """Take connections until it is time to end, then finish what is under way."""
        self._listener.setblocking(False)
        while not ending():
            if _readable(self._listener, LOOK):
                try:
                    self._take(self._listener.accept()[0])
                except (OSError, RuntimeError):  # no file or thread is left for it now
                    time.sleep(LOOK)
        self._listener.close()
        self._finish()

    def _take(self, connection: socket.socket) -> None:
        """Serve a connection in a thread, if it comes from this user or root and there is room for one more."""
        connection.setblocking(True)
        if not wire.is_ours(connection) or not self._has_room():
            connection.close()
            return
        thread = threading.Thread(target=self._converse, args=(connection,), name="conversing", daemon=True)
        with self._changed:
            self._open[connection] = False
        try:
            thread.start()
        except RuntimeError:
            self._forget(connection)
            connection.close()
            raise

    def _has_room(self) -> bool:
        """Whether there may be one more connection, in the place of one that waits for a request where there must.

        Callers keep theirs: those of a host's services, idle, would keep out each other and who asks how it is. One
        whose connection ends under its request sends it again.
        """
        with self._changed:
            if len(self._open) < MOST_CONNECTIONS:
                return True
            idle = next((one for one, busy in self._open.items() if not busy), None)
            if idle is None:
                return False
            self._open[idle] = True  # so that it is chosen once
            with suppress(OSError):
                idle.shutdown(socket.SHUT_RDWR)
            return True

    def _converse(self, connection: socket.socket) -> None:
        """Answer one request after the other until the other side goes, or says what is no message."""
        try:
            with connection, suppress(OSError, Broken):
                while self._next(connection):
                    pass
        except Exception as error:  # noqa: BLE001 - one connection's end is not the others'
            self._failed(error)
        finally:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._changed:
            del self._open[connection]
            self._changed.notify_all()

    def _next(self, connection: socket.socket) -> bool:
        """Wait for a request and answer it; False if the hasher is ending."""
        connection.settimeout(None)
        if not connection.recv(1, socket.MSG_PEEK):
            return False
        connection.settimeout(STALL_SECONDS)
        ask = wire.asked(connection)
        with self._changed:
            if self._ending:
                return False
            self._open[connection] = True
        try:
            connection.sendall(wire.packed(self._answer(ask)))
        finally:
            with self._changed:
                self._open[connection] = False
        return not self._ending

    def _answer(self, ask: Ask) -> Answer:
        try:
            return _answer(self._pool, ask)
        except VaultError as error:
            return messages.refusal(error)
        except Exception as error:  # noqa: BLE001 - such as no memory; told as what it means to the caller
            self._failed(error)
            return messages.refusal(error)

    def _finish(self) -> None:
        """Close what waits for requests, and give the others time to answer."""
        until = time.monotonic() + GRACE
        with self._changed:
            self._ending = True
            for connection, busy in self._open.items():
                if not busy:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            while self._open and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)


def _answer(pool: Pool, ask: Ask) -> Answer:
    match ask:
        case messages.HowBusy():
            return messages.Busy(pool.load())
        case messages.Hash():
            return messages.Hashes(
                pool.hash(ask.passwords, ask.profile, urgent=ask.urgent, seconds=ask.seconds)
            )
        case messages.Verify():
            return messages.Verdicts(pool.verify(ask.passwords, ask.verifiers, seconds=ask.seconds))
        case messages.Judge():
            return messages.Judgements(pool.judge(ask.passwords, seconds=ask.seconds))


def _readable(listener: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
