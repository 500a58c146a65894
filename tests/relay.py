"""A line between a client and a real server that does what lines do: pass on, say nothing, drip, stop halfway."""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from threading import Event, Thread

DRIP = 0.05  # seconds between two bytes


class Relay:
    """Listens on a port and passes each connection on to a server's, as `way` says.

    Attributes:
        way: "pass"; "silent": nothing goes through; "drip": a byte now and then goes through each way;
            "hold": from `after` bytes of the client's on nothing does, and what came behind them is lost.
        held: set once that many bytes have gone through.
    """

    def __init__(self, server: int, address: str = "127.0.0.1", behind: str = "127.0.0.1") -> None:
        """Args: `server` is the port at `behind` that it passes on to."""
        self.way, self.after, self.held = "pass", 0, Event()
        self._server, self._ended = (behind, server), False
        self._listening = socket.create_server((address, 0))
        self.port = int(self._listening.getsockname()[1])
        self._kept: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def hold(self, after: int) -> None:
        """Let `after` more bytes of a client's through, and no more."""
        self.after, self.way = after, "hold"
        self.held.clear()

    def close(self) -> None:
        """Stop listening, and hang up."""
        self._ended = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._server) as server:
            while not self._ended and self._pass_on(client, server):
                pass

    def _pass_on(self, client: socket.socket, server: socket.socket) -> bool:
        """Move what is there; return False once one of them has hung up."""
        if self.way == "silent" or (self.way == "hold" and self.held.is_set()):
            time.sleep(0.01)
            return True
        readable, _, _ = select.select([client, server], [], [], 0.05)
        for one in readable:
            data = one.recv(1 if self.way == "drip" else 65_536)
            if not data:
                return False
            if one is client and self.way == "hold":
                data = data[: self.after]
                self.after -= len(data)
                if self.after == 0:
                    self.held.set()
            (server if one is client else client).sendall(data)
            if self.way == "drip":
                time.sleep(DRIP)
        return True
