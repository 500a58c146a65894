"""Logging in to a server that speaks SFTP: known host keys and a key file, no password, no agent."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import paramiko

from vault.recovery.targets.patience import Deadline
from vault.recovery.targets.protocol import TargetFailed
from vault.recovery.targets.session import GARBLED, Session

KEEPALIVE = (
    30  # seconds between two words to a server that is asked nothing, so that no firewall forgets the line
)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to log in as, where, with which key; `known` is a file of host keys, as OpenSSH's known_hosts."""

    user: str
    host: str
    port: int
    key: paramiko.PKey = field(repr=False)
    known: Path


class Unknown(paramiko.SSHException):
    """The host's key is not in the file of known ones."""


def connect(account: Account, deadline: Deadline, began: Callable[[socket.socket], None]) -> Session:
    """Log in and return a session.

    Args:
        began: is given the socket at once, so that somebody else can end what waits for it.
    Raises:
        TargetFailed: "target_untrusted" if the host shows another key than is known of it, or none is known;
            "target_permission" if it refuses the user's key; "target_unreachable", "target_slow".
    """
    patience = deadline.patience
    try:
        line = socket.create_connection(
            (account.host, account.port), timeout=min(patience.connect, deadline.left())
        )
    except OSError:
        raise TargetFailed("target_unreachable", "no connection to the server") from None
    began(line)
    began_with, client = deadline.left(), paramiko.SSHClient()
    client.set_missing_host_key_policy(_Refuse())
    try:
        client.load_host_keys(str(account.known))
        client.connect(
            account.host, account.port, account.user, pkey=account.key, sock=line, allow_agent=False,
            look_for_keys=False, timeout=patience.connect, banner_timeout=patience.connect,
            auth_timeout=patience.connect, channel_timeout=patience.connect,
        )  # fmt: skip
        transport = client.get_transport()
        if transport is None:
            raise paramiko.SSHException
        transport.set_keepalive(KEEPALIVE)
        channel = transport.open_session(timeout=patience.connect)
        channel.settimeout(deadline.left())
        channel.invoke_subsystem("sftp")
        session = Session(channel)
        session.client = client
        return session
    except BaseException as error:  # noqa: BLE001 - raised again, explained
        client.close()
        line.close()
        if began_with - deadline.left() >= patience.connect:
            raise TargetFailed("target_slow", "the server did not answer in time") from None
        raise _explained(error) from None


def read_key(path: Path) -> paramiko.PKey:
    """Return the private key in a file of OpenSSH; OSError or ValueError if none opens there without a password."""
    try:
        return paramiko.PKey.from_path(path)
    except (paramiko.SSHException, TypeError) as error:
        raise ValueError(type(error).__name__) from None


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise Unknown


def _explained(error: BaseException) -> BaseException:
    """Return what a failed log-in means; the server's own words go no further."""
    if isinstance(error, paramiko.BadHostKeyException | Unknown):
        return TargetFailed("target_untrusted", "the server's host key is not the one that is known")
    if isinstance(error, paramiko.AuthenticationException):
        return TargetFailed("target_permission", "the server refuses this key")
    if isinstance(error, TimeoutError):
        return TargetFailed("target_slow", "the server did not answer in time")
    if isinstance(error, (OSError, *GARBLED)):
        return TargetFailed("target_unreachable", "the server does not answer as an SFTP server should")
    return error
