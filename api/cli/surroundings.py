"""What local commands start from: checked settings, a private file mode, the folders that data goes to."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from api.cli.failure import Failure
from api.config import Settings, load

SQLITE = "sqlite:///"


def settings() -> Settings:
    """Return the settings; files made from here on are for their owner alone. Raise SettingsError."""
    os.umask(0o077)
    return load()


def allow_files() -> None:
    """Let this process and its children open as many files as they may be allowed to: a connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def database_file(found: Settings) -> Path | None:
    """Return the file of an SQLite database, None for another kind."""
    url = found.database()
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def make_folder(path: Path) -> None:
    """Make the folder that `path` lies in, mode 0700, if it is missing; raise Failure."""
    reason = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
    if reason:
        raise Failure(f"{path.parent} cannot be made: {reason}")


def check_address(found: Settings) -> None:
    """Raise Failure if the service may not listen as the settings say: in the clear beyond this machine."""
    pair = (found.tls_certificate, found.tls_key)
    if found.socket is not None and any(pair):
        hint = "leave STRONGROOM_TLS_CERTIFICATE and STRONGROOM_TLS_KEY out: the proxy in front has them"
        raise Failure("a Unix socket is served without TLS", hint)
    if any(pair) and not all(pair):
        hint = "set both STRONGROOM_TLS_CERTIFICATE and STRONGROOM_TLS_KEY, or neither"
        raise Failure("TLS needs a certificate and a key", hint)
    if not found.is_loopback() and not all(pair):
        hint = "set STRONGROOM_TLS_CERTIFICATE and STRONGROOM_TLS_KEY, or STRONGROOM_HOST=127.0.0.1"
        raise Failure(f"serving {found.host} without TLS is refused: values would travel in the clear", hint)


def url(found: Settings, port: int | None = None) -> str:
    """Return the address of the service, of a Unix socket its path."""
    if found.socket is not None:
        return f"unix:{found.socket}"
    host = f"[{found.host}]" if ":" in found.host else found.host
    return f"{'https' if found.tls_certificate else 'http'}://{host}:{port or found.port}"
