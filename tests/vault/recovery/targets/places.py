"""Each kind of target with the real place behind it: how it is reached, how it is broken, and how it heals."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tests.relay import Relay
from tests.s3_gateway import REGION, Gateway
from tests.sshd import Sshd, make_key
from vault.recovery.targets.bounded import Bounded
from vault.recovery.targets.opening import Surroundings, open_target
from vault.recovery.targets.patience import Patience

SHORT = Patience(connect=0.5, call=0.5, rate=64 * 1_048_576)


class Place:
    """What the conformance tests ask of a kind.

    Attributes:
        folder: where its files lie on this machine, whatever way the target goes.
    """

    faults: ClassVar[dict[str, str]]  # what happens to it, and the code that says so
    around = Surroundings(time.monotonic)
    folder: Path

    def __init__(self) -> None:
        # Not in the test's own folder: what a killed run leaves mounted there, the next could not clear away.
        self.disk = Path(tempfile.mkdtemp(prefix="strongroom-disk-"))
        self.mounted = False
        self.opened: list[Bounded] = []

    def url(self) -> str:
        """Return what settings name it by."""
        raise NotImplementedError

    def target(self, patience: Patience | None = None) -> Bounded:
        """Return another target for it."""
        made = open_target(self.url(), replace(self.around, patience=patience or Patience()))
        self.opened.append(made)
        return made

    def held(self) -> dict[str, bytes]:
        """Return every file that a target may name, by path."""
        files = (one for one in self.folder.rglob("*") if one.is_file())
        paths = {str(one.relative_to(self.folder)): one for one in files}
        return {name: one.read_bytes() for name, one in paths.items() if not name.startswith(".")}

    def small(self) -> None:
        """Put it onto a disk of 1 MiB."""
        mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", self.folder)
        self.mounted = True

    def full(self) -> None:
        with suppress(OSError), (self.folder / ".ballast").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4_096))

    def read_only(self) -> None:
        mount("-o", "remount,ro", self.folder)

    def immutable(self) -> None:
        for one in (self.folder, *(one for one in self.folder.rglob("*") if one.is_dir())):
            subprocess.run(["chattr", "+i", one], check=True)

    def removed(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.mounted = False
        self.folder.rmdir()

    def heal(self) -> None:
        """Undo what happened, as an operator would."""
        if self.mounted:
            mount("-o", "remount,rw", self.folder)
            (self.folder / ".ballast").unlink(missing_ok=True)
            for one in (self.folder, *(one for one in self.folder.rglob("*") if one.is_dir())):
                subprocess.run(["chattr", "-i", one], check=True)
        else:
            self.folder.mkdir()

    def close(self) -> None:
        """Clear it away."""
        for one in self.opened:
            one.close()
        if self.mounted:
            # A process that was killed may still be about to end.
            subprocess.run(["umount", "--lazy", self.folder], check=True)
        shutil.rmtree(self.disk)


class DirectoryPlace(Place):
    """A folder."""

    faults: ClassVar = {
        "full": "target_full", "read only": "target_read_only", "immutable": "target_permission",
        "removed": "target_removed",
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.disk / "backups"
        self.folder.mkdir()

    def url(self) -> str:
        return f"file:{self.folder}"


class ServedPlace(Place):
    """A server behind a line; both are there for the whole module."""

    lines: ClassVar = frozenset({"silent", "drip"})

    def __init__(self, server: Sshd | Gateway) -> None:
        super().__init__()
        self.server = server
        self.relay = Relay(server.port)

    def gone(self) -> None:
        stop(self.server)

    def heal(self) -> None:
        self.relay.way = "pass"
        if self.server.process is None:
            self.server.start()
        elif self.mounted or not self.folder.exists():
            super().heal()

    def close(self) -> None:
        super().close()
        self.relay.close()
        if self.server.process is None:
            self.server.start()  # others use it, too


class SftpPlace(ServedPlace):
    """A folder at a real sshd."""

    faults: ClassVar = {
        **DirectoryPlace.faults, "gone": "target_unreachable", "another host": "target_untrusted",
        "unknown host": "target_untrusted", "another user": "target_permission",
    }  # fmt: skip

    def __init__(self, server: Sshd) -> None:
        super().__init__(server)
        self.folder, self.ssh = self.disk / "backups", server
        self.folder.mkdir()
        self.around = Surroundings(time.monotonic, self.disk / "user_key", self.disk / "known_hosts")
        self.trust()

    def trust(self) -> None:
        """Use the right key, and know the server's."""
        shutil.copy(self.ssh.key, self.disk / "user_key")
        host = (self.ssh.folder / "host_key.pub").read_text()
        (self.disk / "known_hosts").write_text(f"[127.0.0.1]:{self.relay.port} {host}")

    def url(self) -> str:
        return f"sftp://{self.ssh.user}@127.0.0.1:{self.relay.port}{self.folder}"

    def another_host(self) -> None:
        other = make_key(self.disk / "other")
        (self.disk / "known_hosts").write_text(f"[127.0.0.1]:{self.relay.port} {other}\n")

    def unknown_host(self) -> None:
        (self.disk / "known_hosts").write_text("# nobody\n")

    def another_user(self) -> None:
        make_key(self.disk / "user_key")

    def heal(self) -> None:
        self.trust()
        super().heal()


class S3Place(ServedPlace):
    """A bucket of a real S3 service, which does not tell why its disk takes nothing."""

    faults: ClassVar = {
        "full": "target_full", "read only": "target_broken", "removed": "target_removed",
        "gone": "target_unreachable", "another user": "target_permission",
    }  # fmt: skip

    def __init__(self, server: Gateway, bucket: str) -> None:
        super().__init__(server)
        self.folder = server.folder / bucket
        self.folder.mkdir()
        self.keys = (server.access, server.secret)
        self.around = Surroundings(time.monotonic, s3_keys=self.keys)

    def url(self) -> str:
        return f"s3://{self.folder.name}?region={REGION}&endpoint=http://127.0.0.1:{self.relay.port}"

    def another_user(self) -> None:
        self.around = Surroundings(time.monotonic, s3_keys=(self.keys[0], "not the secret"))

    def heal(self) -> None:
        self.around = Surroundings(time.monotonic, s3_keys=self.keys)
        super().heal()

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


def stop(server: Sshd | Gateway) -> None:
    """Kill a server, as a power cut would."""
    server.kill() if isinstance(server, Sshd) else server.stop()


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


Maker = Callable[[], Place]
