"""A real OpenSSH server for tests, which lets the current user in for SFTP alone."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.service import free_port
from tests.waiting import until

GET_SSHD = "install the Debian package openssh-server"
CONFIG = """
ListenAddress {address}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp {options}
"""


class NoSshd(Exception):
    """There is no `sshd`; says how to get it."""


@dataclass(slots=True)
class Sshd:
    """A server that may be stopped and started again; `folder` holds its keys and the user's."""

    folder: Path
    address: str = "127.0.0.1"
    within: tuple[str, ...] = ()  # what to run it in: `ip netns exec NAME`
    options: str = ""  # of its part that speaks SFTP, sftp-server(8)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str:
        return getpass.getuser()

    @property
    def key(self) -> Path:
        """The user's private key."""
        return self.folder / "user_key"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def prepare(self) -> None:
        """Make the keys and the settings."""
        host = make_key(self.folder / "host_key")
        (self.folder / "authorized_keys").write_text(make_key(self.key) + "\n")
        self.know(self.port, host)
        (self.folder / "config").write_text(
            CONFIG.format(address=self.address, port=self.port, folder=self.folder, options=self.options)
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it drops its privileges, sshd(8)

    def know(self, port: int, key: str | None = None) -> None:
        """Let a port of this machine be known by the host's key, or by another."""
        key = key or (self.folder / "host_key.pub").read_text().strip()
        with self.known_hosts.open("a") as file:
            file.write(f"[{self.address}]:{port},[127.0.0.1]:{port} {key}\n")

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*self.within, sshd_command(), "-D", "-e", "-f", self.folder / "config"], stderr=log
            )
        until(self._listens)

    def kill(self) -> None:
        """Kill it with all its sessions, as a power cut would."""
        if self.process is None:
            return
        for process in [self.process.pid, *_below(self.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"sshd ended: {(self.folder / 'log').read_text()[-500:]}"
        return b"Server listening" in (self.folder / "log").read_bytes()


@contextmanager
def sshd(folder: Path, **options: object) -> Iterator[Sshd]:
    """Give a server that runs; NoSshd if there is none."""
    sshd_command()
    made = Sshd(folder, **options)  # type: ignore[arg-type]
    made.prepare()
    made.start()
    try:
        yield made
    finally:
        made.kill()


def sshd_command() -> str:
    """Return the command's absolute path, without which it refuses to run."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NoSshd(GET_SSHD)
    return found


def make_key(path: Path) -> str:
    """Make an Ed25519 key in OpenSSH's form and return its public half's line."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    path.with_name(f"{path.name}.pub").write_text(line + "\n")
    return line


def _below(process: int) -> list[int]:
    """Return the processes that came of one."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = status.read_text()
            parents[int(text.split()[0])] = int(text.rpartition(")")[2].split()[1])
    found, before = {process}, set[int]()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return sorted(found - {process})
