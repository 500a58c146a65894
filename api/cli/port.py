"""The port that the service listens at: ours from the start, and asked whether anybody takes connections."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.failure import Failure


@contextmanager
def held(host: str, port: int) -> Iterator[int]:
    """Keep a port for the serving processes, who bind it beside us (SO_REUSEPORT), and give its number.

    A port that nobody has bound may be drawn for an outgoing connection, at worst for one to the port itself.

    Args:
        port: 0 for any that is free.
    Raises:
        Failure: somebody has it; the kernel would let two services share it unseen.
    """
    ours, reason = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET), None
    with ours:
        try:
            if port:
                with socket.socket(ours.family) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            ours.bind((host, port))
        except OSError as error:
            reason = error.strerror
        if reason:
            raise Failure(
                f"cannot listen at {host}, port {port}: {reason}", "STRONGROOM_PORT chooses another one"
            )
        yield int(ours.getsockname()[1])


def listens(host: str, port: int) -> bool:
    """Tell whether somebody takes connections there; for an address that means all, on this machine."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    with contextlib.suppress(OSError), socket.create_connection((here, port), timeout=3) as connection:
        return bool(connection.getsockname() != connection.getpeername())  # else it met itself
    return False
